"""The tables of the one SQLite file, version by version."""

# One entry a version of the file, each a list of statements. Those that were released never change.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE answers (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            key TEXT NOT NULL,
            verb TEXT NOT NULL,
            model TEXT NOT NULL,
            run TEXT NOT NULL,
            created REAL NOT NULL,
            updated REAL NOT NULL,
            bytes INTEGER NOT NULL DEFAULT 0,
            complete INTEGER NOT NULL DEFAULT 0,
            cached INTEGER NOT NULL DEFAULT 0,
            stop_reason TEXT,
            stop_category TEXT,
            input_tokens INTEGER NOT NULL DEFAULT 0,
            output_tokens INTEGER NOT NULL DEFAULT 0,
            cache_read_tokens INTEGER NOT NULL DEFAULT 0,
            cache_write_tokens INTEGER NOT NULL DEFAULT 0
        )""",
        "CREATE INDEX answers_by_key ON answers (key)",
        # No foreign key: the chunks of a deleted answer stay for a while, overwritten (see store/texts.py).
        "CREATE TABLE chunks (id INTEGER PRIMARY KEY, answer INTEGER NOT NULL, text TEXT NOT NULL)",
        "CREATE INDEX chunks_by_answer ON chunks (answer)",
        "CREATE TABLE waste (bytes INTEGER NOT NULL)",
        "INSERT INTO waste VALUES (0)",
    ),
    (
        # A path is bytes to the system, and may be no text. Numbers of devices and inodes are unsigned, and may be
        # larger than SQLite's integers.
        """CREATE TABLE positions (
            path BLOB PRIMARY KEY,
            device TEXT NOT NULL,
            inode TEXT NOT NULL,
            offset INTEGER NOT NULL,
            head_size INTEGER NOT NULL,
            head TEXT NOT NULL,
            updated REAL NOT NULL
        )""",
    ),
    (
        """CREATE TABLE sessions (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE,
            model TEXT NOT NULL,
            system TEXT,
            used REAL NOT NULL
        )""",
        # `state` is open, complete, cut or refused; `key` and `run` are those of its answer in the journal.
        """CREATE TABLE exchanges (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            session INTEGER NOT NULL,
            state TEXT NOT NULL,
            created REAL NOT NULL,
            model TEXT NOT NULL,
            question TEXT NOT NULL,
            answer TEXT NOT NULL DEFAULT '',
            tokens INTEGER NOT NULL,
            key TEXT NOT NULL,
            run TEXT NOT NULL
        )""",
        "CREATE INDEX exchanges_by_session ON exchanges (session)",
    ),
    ("CREATE TABLE typed (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL)",),
    ("ALTER TABLE positions ADD COLUMN anchor TEXT NOT NULL DEFAULT ''",),
)
