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

// A meaning is what a word means: 0 and nothing if it is no keyword.
type meaning struct {
	kw    keyword
	flags uint8
}

// An entry is one keyword with its flags.
type entry struct {
	name  string
	kw    keyword
	flags uint8
}

// The keywords that the rules tell apart. Those that they do not are kwOther.
const (
	kwOther keyword = iota + 1
	kwPlain         // an operator in letters, behind which an expression goes on
	kwAnd
	kwArray
	kwBetween
	kwCast
	kwCollate
	kwDesc
	kwDistinct
	kwElse
	kwFull
	kwIn
	kwIs
	kwJoin
	kwLateral
	kwLeft
	kwNot
	kwOn
	kwOnly
	kwOr
	kwOver
	kwRight
	kwThen
	kwWhen

	// Those from here on change what the rest of a statement means.
	kwAbort
	kwAbsolute
	kwAdvisory // one of the functions for advisory locks that outlast a transaction
	kwAll
	kwAlter
	kwAnalyze
	kwAs
	kwAsc
	kwAtomic
	kwAuthorization
	kwBackward
	kwBegin
	kwBy
	kwCall
	kwCase
	kwCharacteristics
	kwCheckpoint
	kwClose
	kwCluster
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
	kwDiscard
	kwDo
	kwDrop
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
	kwFunction
	kwGrant
	kwGroup
	kwHaving
	kwHold
	kwIf
	kwImport
	kwIndex
	kwInner
	kwInsert
	kwIntersect
	kwInto
	kwLanguage
	kwLast
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
	kwNotify
	kwNowait
	kwNull
	kwOf
	kwOffset
	kwOrder
	kwOuter
	kwPassword
	kwPgSettings
	kwPgTemp
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
	kwWhere
	kwWindow
	kwWith
	kwWork
	kwZone
)

// kwHarmless is the last of those that do not.
const kwHarmless = kwWhen

// keywordSlots is the size of the table of keywords, a power of two.
const keywordSlots = 1024

// keywords is the table: open addressing by the highest bits of a word's hash. It does
// not change.
var keywords = makeKeywords()

// A keywordSlot holds a keyword, or is empty with a hash of 0.
type keywordSlot struct {
	hash uint64
	meaning
}

// A keywordTable finds keywords by the hash of a word.
type keywordTable [keywordSlots]keywordSlot

// makeKeywords makes the table.
func makeKeywords() (t keywordTable) {
	for _, e := range allKeywords() {
		h := hashWord([]byte(e.name), 0, len(e.name))
		i := h >> 54
		for t[i].hash != 0 {
			i = (i + 1) % keywordSlots
		}
		t[i] = keywordSlot{h, meaning{e.kw, e.flags}}
	}

	return t
}

// find returns what the word means whose hash is h.
func (t *keywordTable) find(h uint64) meaning {
	for i := h >> 54; ; i++ {
		slot := &t[i%keywordSlots]
		if slot.hash == h {
			return slot.meaning
		}
		if slot.hash == 0 {
			return meaning{}
		}
	}
}
