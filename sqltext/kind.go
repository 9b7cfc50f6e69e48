package sqltext

// A Kind is what a statement does, by its first words. The words are not checked
// further: PostgreSQL may refuse a statement of any kind.
type Kind uint8

// The kinds. A Kind is not kept anywhere by number; by name it is.
const (
	Empty   Kind = iota // nothing but comments
	Invalid             // a quote or a comment has no end: PostgreSQL runs nothing of the text
	Other               // none of the others

	Select // with VALUES and TABLE, and WITH in front of it
	Insert
	Update
	Delete
	Merge
	Copy
	Call
	Do
	Explain

	Begin // and START TRANSACTION
	Commit
	Rollback
	Savepoint
	Release
	PrepareTransaction // and COMMIT PREPARED, ROLLBACK PREPARED

	Set
	Reset
	Show
	Discard
	Load
	Listen
	Unlisten
	Notify
	Lock

	Prepare
	Execute
	Deallocate
	Declare
	Fetch
	Move
	Close

	Create
	Alter
	Drop
	Truncate
	Comment // and SECURITY LABEL
	Grant
	Revoke
	Refresh
	Maintain // VACUUM, ANALYZE, CLUSTER, REINDEX, CHECKPOINT

	with // WITH, before it is known in front of what
)

// kindNames are the names of the kinds.
var kindNames = [...]string{
	Empty: "empty", Invalid: "invalid", Other: "other",
	Select: "select", Insert: "insert", Update: "update", Delete: "delete", Merge: "merge",
	Copy: "copy", Call: "call", Do: "do", Explain: "explain",
	Begin: "begin", Commit: "commit", Rollback: "rollback", Savepoint: "savepoint",
	Release: "release", PrepareTransaction: "prepare transaction",
	Set: "set", Reset: "reset", Show: "show", Discard: "discard", Load: "load",
	Listen: "listen", Unlisten: "unlisten", Notify: "notify", Lock: "lock",
	Prepare: "prepare", Execute: "execute", Deallocate: "deallocate", Declare: "declare",
	Fetch: "fetch", Move: "move", Close: "close",
	Create: "create", Alter: "alter", Drop: "drop", Truncate: "truncate", Comment: "comment",
	Grant: "grant", Revoke: "revoke", Refresh: "refresh", Maintain: "maintain", with: "select",
}

// String returns the name, in lower case.
func (k Kind) String() string {
	return kindNames[k]
}

// MarshalText implements [encoding.TextMarshaler].
func (k Kind) MarshalText() ([]byte, error) {
	return []byte(k.String()), nil
}

// Transactional reports whether the statement begins or ends a transaction or a part of
// one, and does nothing else.
func (k Kind) Transactional() bool {
	return k >= Begin && k <= PrepareTransaction
}

// utility reports whether keywords are rarely names in the statement: it is not one on
// rows.
func (k Kind) utility() bool {
	return k >= Begin && k < with
}

// kindOf is the kind of a statement that begins with a keyword.
var kindOf = [256]Kind{
	kwSelect: Select, kwValues: Select, kwTable: Select, kwWith: with,
	kwInsert: Insert, kwUpdate: Update, kwDelete: Delete, kwMerge: Merge,
	kwCopy: Copy, kwCall: Call, kwDo: Do, kwExplain: Explain,
	kwBegin: Begin, kwStart: Begin, kwCommit: Commit, kwEnd: Commit,
	kwRollback: Rollback, kwAbort: Rollback, kwSavepoint: Savepoint, kwRelease: Release,
	kwSet: Set, kwReset: Reset, kwShow: Show, kwDiscard: Discard, kwLoad: Load,
	kwListen: Listen, kwUnlisten: Unlisten, kwNotify: Notify, kwLock: Lock,
	kwPrepare: Prepare, kwExecute: Execute, kwDeallocate: Deallocate, kwDeclare: Declare,
	kwFetch: Fetch, kwMove: Move, kwClose: Close,
	kwCreate: Create, kwAlter: Alter, kwDrop: Drop, kwTruncate: Truncate,
	kwComment: Comment, kwSecurity: Comment, kwGrant: Grant, kwRevoke: Revoke,
	kwRefresh: Refresh, kwReassign: Alter, kwImport: Create,
	kwVacuum: Maintain, kwAnalyze: Maintain, kwCluster: Maintain, kwReindex: Maintain, kwCheckpoint: Maintain,
}

// first takes in the first word of a statement.
func (s *Scanner) first(t *token) {
	s.base = s.depth
	s.st.Kind = kindOf[t.kw]
	if s.st.Kind == Empty {
		s.st.Kind = Other
	}
	s.st.Effects |= effectsOf[s.st.Kind]
	switch s.st.Kind {
	case Set:
		s.set = setScope
	case Savepoint, Release, Execute, Deallocate, Declare, Close, Fetch, Move, Listen, Unlisten, Notify, Prepare:
		s.nameNext = true
	}
}

// begins reports whether a statement may begin here: at the beginning, in brackets,
// behind the queries of WITH, and behind EXPLAIN, PREPARE ... AS and the like.
func (s *Scanner) begins(f *frame) bool {
	switch s.prev.kind {
	case tokEnd:
		return true
	case tokSelf:
		return s.prev.char == '(' || s.prev.char == ';' ||
			s.prev.char == ')' && (f.clause == clauseWith || s.st.Kind == Explain)
	}
	switch s.prev.kw {
	case kwAs:
		return s.st.Kind == Prepare || s.st.Kind == Create || s.st.Kind == Explain
	case kwExplain, kwAnalyze, kwVerbose:
		return s.st.Kind == Explain
	case kwAtomic:
		return s.atomic > 0
	}

	return false
}
