"""What a file has besides its text, and keeps when that is replaced: owner, mode, access lists."""

import contextlib
import os
import stat
import sys

# Not security.capability and the like: what the old code was trusted with, the new code has to earn.
_KEPT_ATTRIBUTES = ("user.", "system.posix_acl_access", "security.selinux")
_ACL, _DEFAULT_ACL = "system.posix_acl_access", "system.posix_acl_default"


def dress(fd: int, folder: int, name: str, old: os.stat_result | None) -> None:
    """Gives the new file what the old one had; where there was none, what any new file gets."""
    if old is None:
        if not _attribute(folder, _DEFAULT_ACL):  # else the kernel has seen to it, and the umask does not count
            _set_mode(fd, 0o666 & ~_umask())
        return
    mode = _set_owner(fd, old)
    _copy_attributes(folder, name, fd)
    _set_mode(fd, mode)


def _set_owner(fd: int, old: os.stat_result) -> int:
    """The mode that the file may have, now that it belongs to whom it may."""
    mode, new = stat.S_IMODE(old.st_mode), os.fstat(fd)
    if (old.st_uid, old.st_gid) == (new.st_uid, new.st_gid):
        return mode
    with contextlib.suppress(OSError):
        os.fchown(fd, old.st_uid, old.st_gid)
        return mode
    mode &= 0o777  # no set-user-ID for another user
    with contextlib.suppress(OSError):
        os.fchown(fd, -1, old.st_gid)
        return mode
    return mode & (0o707 | (mode & 0o007) << 3)  # another group gets no more than everybody


def _set_mode(fd: int, mode: int) -> None:
    if stat.S_IMODE(os.fstat(fd).st_mode) != mode:
        with contextlib.suppress(PermissionError):  # the file is ours: it is the file system that has no such modes
            os.fchmod(fd, mode)


def _umask() -> int:
    """The kernel applies it by itself, but old ones forget it for files without a name."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _copy_attributes(folder: int, name: str, fd: int) -> None:
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError):
        path = f"/proc/self/fd/{folder}/{name}"
        kept = [each for each in os.listxattr(path, follow_symlinks=False) if each.startswith(_KEPT_ATTRIBUTES)]
        if _ACL not in kept and _attribute(fd, _ACL):  # from its folder
            os.removexattr(fd, _ACL)
        for each in kept:
            with contextlib.suppress(OSError):
                os.setxattr(fd, each, os.getxattr(path, each, follow_symlinks=False))


def _attribute(fd: int, name: str) -> bool:
    with contextlib.suppress(OSError):
        return sys.platform == "linux" and bool(os.getxattr(fd, name))
    return False
