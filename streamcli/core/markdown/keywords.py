"""The words of languages that are coloured as keywords, separated by spaces; each is a pattern."""

C = (
    "auto break case const continue default do else enum extern for goto if inline register restrict return "
    "sizeof static struct switch typedef union volatile while"
)
C_TYPES = "void char short int long float double signed unsigned bool size_t ssize_t u?int(?:8|16|32|64|ptr)_t _Bool"
CPP = (
    "alignas alignof catch class concept consteval constexpr constinit co_await co_return co_yield decltype "
    "delete explicit export final friend import module mutable namespace new noexcept operator override private "
    "protected public requires static_assert static_cast dynamic_cast reinterpret_cast const_cast template this "
    "throw try typename using virtual"
)
JAVA = (
    "abstract assert break case catch class continue default do else enum extends final finally for if implements "
    "import instanceof interface native new package permits private protected public record return sealed static "
    "super switch synchronized this throw throws transient try var void volatile while yield boolean byte char "
    "double float int long short"
)
JS = (
    "as async await break case catch class const continue debugger default delete do else export extends finally "
    "for from function get if import in instanceof let new of return set static super switch this throw try "
    "typeof var void while with yield"
)
TS = (
    "abstract any asserts bigint boolean declare enum implements infer interface is keyof namespace never number "
    "object private protected public readonly satisfies string symbol type unknown"
)
GO = (
    "break case chan const continue default defer else fallthrough for func go goto if import interface map "
    "package range return select struct switch type var any bool byte complex64 complex128 error float32 float64 "
    "int int8 int16 int32 int64 rune string uint uint8 uint16 uint32 uint64 uintptr"
)
RUST = (
    "as async await break const continue crate dyn else enum extern fn for if impl in let loop match mod move mut "
    "pub ref return self Self static struct super trait type unsafe use where while bool char f32 f64 i8 i16 i32 "
    "i64 i128 isize str u8 u16 u32 u64 u128 usize"
)
CSHARP = (
    "abstract as async await base bool break byte case catch char checked class const continue decimal default "
    "delegate do double dynamic else enum event explicit extern finally fixed float for foreach get if implicit "
    "in int interface internal is lock long nameof namespace new object operator out override params private "
    "protected public readonly record ref required return sbyte sealed set short sizeof static string struct "
    "switch this throw try typeof uint ulong unchecked unsafe ushort using var virtual void volatile when where "
    "while with yield"
)
KOTLIN = (
    "abstract actual annotation as break by catch class companion const constructor continue crossinline data do "
    "else enum expect external final finally for fun get if import in infix init inline inner interface internal "
    "is lateinit noinline object open operator out override package private protected public reified return "
    "sealed set super suspend tailrec this throw try typealias val value var vararg when where while case def "
    "extends given implicit lazy match new then trait type using with yield"
)
SWIFT = (
    "actor any as associatedtype async await break case catch class continue convenience default defer deinit do "
    "else enum extension fallthrough fileprivate final for func get guard if import in indirect infix init inout "
    "internal is lazy let mutating nonisolated open operator optional override precedencegroup private protocol "
    "public repeat required rethrows return self Self set some static struct subscript super switch throw throws "
    "try typealias unowned var weak where while"
)
DART = "covariant dynamic external factory late library mixin on part required rethrow show hide"
PHP = (
    "abstract and array as break callable case catch class clone const continue declare default do echo else "
    "elseif empty enum extends final finally fn for foreach function global goto if implements include "
    "include_once instanceof insteadof interface isset list match namespace new or print private protected public "
    "readonly require require_once return static switch throw trait try unset use var while xor yield"
)
PYTHON = (
    "and as assert async await break case class continue def del elif else except finally for from global if "
    "import in is lambda match nonlocal not or pass raise return try while with yield"
)
RUBY = (
    "alias and begin break case class def defined\\? do else elsif end ensure for if in module next not or redo "
    "rescue retry return self super then undef unless until when while yield require require_relative "
    "attr_accessor attr_reader attr_writer include extend raise puts"
)
PERL = (
    "and cmp die do each else elsif eq for foreach ge gt if keys last le local lt my ne next no not or our package "
    "print printf push qw redo require return say shift sub undef unless until use while"
)
POWERSHELL = (
    "begin break catch class continue data do else elseif end enum exit filter finally for foreach function hidden if "
    "in param process return static switch throw trap try until using while"
)
SHELL = (
    "if then elif else fi case esac for select while until do done in function time coproc return exit break "
    "continue local export readonly declare typeset unset shift trap source eval exec set"
)
SQL = (
    "add all alter analyze and any as asc begin between by cascade case cast check column commit conflict "
    "constraint create cross current database default delete desc distinct do drop else end except exists explain "
    "false fetch filter first for foreign from full function grant group having if ilike in index inner insert "
    "intersect interval into is join key last lateral left like limit materialized natural not nothing null nulls "
    "offset on or order outer over partition primary procedure recursive references replace returning revoke "
    "right rollback row rows schema select set some table temporary then to transaction trigger true truncate "
    "union unique update using vacuum values view when where window with bigint boolean bytea char date decimal "
    "double float int integer json jsonb numeric real serial smallint text time timestamp timestamptz uuid "
    "varchar"
)
LUA = "and break do else elseif end for function goto if in local not or repeat return then until while"
HASKELL = (
    "case class data deriving do else forall foreign if import in infix infixl infixr instance let module newtype "
    "of then type where qualified"
)
ELIXIR = (
    "after alias and case catch cond def defimpl defmacro defmodule defp defprotocol defstruct do else end fn for "
    "if import in not or quote raise receive require rescue try unless unquote use when with"
)
DOCKER = (
    "FROM AS RUN CMD LABEL MAINTAINER EXPOSE ENV ADD COPY ENTRYPOINT VOLUME USER WORKDIR ARG ONBUILD STOPSIGNAL "
    "HEALTHCHECK SHELL"
)
R = "break else for function if in next repeat return while library require"
ZIG = (
    "comptime const defer else enum errdefer export fn for if inline pub return struct switch test try union "
    "usingnamespace var while"
)
PROTOBUF = (
    "enum import message oneof optional option package repeated required reserved returns rpc service stream "
    "syntax string bool bytes double float u?int(?:32|64)"
)
GRAPHQL = (
    "type query mutation subscription fragment input enum interface union scalar schema extend implements on directive"
)
