package sqltext

// A keyword is a word that means something to the rules. The zero value is any other.
type keyword uint8

// What PostgreSQL's grammar and the rules say of a keyword.
const (
	// isReserved: without quotes it is never a name of an object, or another thing than
	// with quotes.
	isReserved = 1 << iota
	// beforeExpr: an expression begins behind it, so that a minus there is a sign.
	beforeExpr
	// beforeNull: a NULL behind it is a value.
	beforeNull
	// hasTypmod: a type; a number in parentheses behind it is part of the type.
	hasTypmod
	// inType: another word of a type's name.
	inType
	// isShouted: it is shown in capitals.
	isShouted
	// isFunction: it is the name of a function, quoted or not.
	isFunction
)

// An entry is one keyword with its flags.
type entry struct {
	name  string
	kw    keyword
	flags uint8
}

// The keywords that the rules tell apart. Those that they do not are kwOther.
const (
	kwOther keyword = iota + 1
	kwAbort
	kwAbsolute
	kwAdvisory // one of the functions for advisory locks that outlast a transaction
	kwAll
	kwAlter
	kwAnalyze
	kwAnd
	kwArray
	kwAs
	kwAsc
	kwAtomic
	kwAuthorization
	kwBackward
	kwBegin
	kwBetween
	kwBy
	kwCall
	kwCase
	kwCast
	kwCharacteristics
	kwCheckpoint
	kwClose
	kwCluster
	kwCollate
	kwComment
	kwCommit
	kwConfig // set_config
	kwConflict
	kwConnection
	kwConstraints
	kwCopy
	kwCreate
	kwCube
	kwCurrent
	kwCursor
	kwDatabase
	kwDeallocate
	kwDeclare
	kwDefault
	kwDelete
	kwDesc
	kwDiscard
	kwDistinct
	kwDo
	kwDrop
	kwElse
	kwEnd
	kwExcept
	kwExecute
	kwExists
	kwExplain
	kwFalse
	kwFetch
	kwFirst
	kwFor
	kwForeign
	kwForward
	kwFrom
	kwFull
	kwFunction
	kwGrant
	kwGroup
	kwHaving
	kwHold
	kwIf
	kwImport
	kwIn
	kwIndex
	kwInner
	kwInsert
	kwIntersect
	kwInto
	kwIs
	kwJoin
	kwLanguage
	kwLast
	kwLateral
	kwLeft
	kwLimit
	kwListen
	kwLoad
	kwLocal
	kwLoop
	kwLock
	kwMaterialized
	kwMerge
	kwMode
	kwMove
	kwNext
	kwNot
	kwNotify
	kwNowait
	kwNull
	kwOffset
	kwOn
	kwOnly
	kwOr
	kwOrder
	kwOuter
	kwOver
	kwPassword
	kwPgSettings
	kwPgTemp
	kwPlain // an operator in letters, behind which an expression goes on
	kwPrepare
	kwPrepared
	kwPrior
	kwProcedure
	kwReassign
	kwRecursive
	kwRefresh
	kwReindex
	kwRelative
	kwRelease
	kwReset
	kwReturning
	kwRevoke
	kwRight
	kwRole
	kwRollback
	kwRollup
	kwSavepoint
	kwSecurity
	kwSelect
	kwServer
	kwSession
	kwSet
	kwSets
	kwShow
	kwStart
	kwSubscription
	kwSystem
	kwTable
	kwTemp
	kwThen
	kwTime
	kwTo
	kwTransaction
	kwTrue
	kwTruncate
	kwUescape
	kwUnion
	kwUnlisten
	kwUnlogged
	kwUpdate
	kwUser
	kwUsing
	kwVacuum
	kwValues
	kwVerbose
	kwView
	kwWhen
	kwWhere
	kwWindow
	kwWith
	kwWork
	kwZone
)

// keywordSlots is the size of the table of keywords, a power of two.
const keywordSlots = 1024

// keywords is the table: open addressing by the highest bits of a word's hash.
var keywords = makeKeywords()

// A keywordTable finds keywords by the hash of a word.
type keywordTable struct {
	hashes [keywordSlots]uint64
	kw     [keywordSlots]keyword
	flags  [keywordSlots]uint8
}

// makeKeywords makes the table.
func makeKeywords() *keywordTable {
	t := new(keywordTable)
	for _, e := range allKeywords() {
		h := hashWord([]byte(e.name), 0, len(e.name))
		i := h >> 54
		for t.hashes[i] != 0 {
			i = (i + 1) % keywordSlots
		}
		t.hashes[i], t.kw[i], t.flags[i] = h, e.kw, e.flags
	}

	return t
}

// find returns the keyword whose hash is h, or 0.
func (t *keywordTable) find(h uint64) (keyword, uint8) {
	for i := h >> 54; ; i = (i + 1) % keywordSlots {
		switch t.hashes[i] {
		case h:
			return t.kw[i], t.flags[i]
		case 0:
			return 0, 0
		}
	}
}
