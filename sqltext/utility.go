package sqltext

// In statements that are not about rows, names and values are left out too: names of
// savepoints and cursors are often made for one use, and what is given to SET or stands
// behind PASSWORD may be a secret.

// A setState is how far a SET has been read.
type setState uint8

const (
	setNone  setState = iota
	setScope          // SESSION or LOCAL may come, or the name
	setName           // more of the name may come, or the value
	setValue          // the value comes
	setDone           // nothing is left out any more
)

// utility takes in what a keyword means in such a statement.
func (s *Scanner) utility(f *frame, t *token) {
	if s.prev.kw == kwCreate || s.prev.kw == kwAlter {
		s.object = t.kw
	}
	switch t.kw {
	case kwTo:
		s.nameNext = s.nameNext || s.st.Kind == Rollback
	case kwOf: // WHERE CURRENT OF
		s.nameNext = s.nameNext || s.prev.kw == kwCurrent
	case kwExecute, kwDeclare:
		s.nameNext = s.nameNext || s.begins(f)
	case kwPassword:
		s.hideNext = s.defines() && (s.object == kwUser || s.object == kwRole || s.object == kwGroup)
	case kwConnection:
		s.hideNext = s.defines() && s.object == kwSubscription
	case kwSet:
		s.setIn()
	case kwPrepared:
		if s.prev.kw == kwCommit || s.prev.kw == kwRollback {
			s.prepared()
		}
	case kwAll:
		if s.st.Kind == Discard && s.prev.kw == kwDiscard {
			s.st.Effects |= DiscardsAll
		}
	case kwTemp:
		if (s.st.Kind == Create || s.st.Kind == Explain) && s.createsTemp() || s.prev.kw == kwInto {
			s.st.Effects |= CreatesTemp
		}
	case kwDrop:
		if s.prev.kw == kwCommit && s.st.Kind == Create {
			s.st.Effects |= DropsOnCommit
		}
	case kwHold:
		if s.prev.kw == kwWith {
			s.st.Effects |= HoldsCursor
		}
	}
}

// createsTemp reports whether the word TEMP in a CREATE says that what is created is
// temporary: it may have OR REPLACE, GLOBAL or LOCAL in front of it.
func (s *Scanner) createsTemp() bool {
	switch s.prev.kw {
	case kwCreate, kwLocal:
		return true
	case 0:
		return s.before == kwOr || s.before == kwCreate
	}

	return false
}

// defines reports whether the statement creates or alters something.
func (s *Scanner) defines() bool {
	return s.st.Kind == Create || s.st.Kind == Alter
}

// setIn takes in SET in the middle of a statement: ALTER ROLE ... SET, and SET in the
// text of a DO statement.
func (s *Scanner) setIn() {
	switch {
	case s.st.Kind == Alter && s.depth == 0:
		switch s.object {
		case kwUser, kwRole, kwDatabase, kwSystem:
			s.set = setName
		}
	case s.within > 0 && (s.prev.kw == kwBegin || s.prev.kw == kwThen || s.prev.kw == kwElse || s.prev.kw == kwLoop):
		s.set = setScope
		s.st.Effects |= SetsSession
	}
}

// setWord takes in a word of SET.
func (s *Scanner) setWord(t *token) {
	switch {
	case t.kw == kwSet && s.prev.kind != tokSelf && s.prev.kind != tokName:
		// the word itself
	case s.set == setScope:
		s.set = s.setFirst(t)
	case s.set == setName && t.kw == kwTo:
		s.set = setValue
	}
}

// setFirst takes in a word in front of what SET sets, and returns what comes behind it.
func (s *Scanner) setFirst(t *token) setState {
	switch t.kw {
	case kwLocal:
		s.setLocal(SetsLocal)

		return setScope
	case kwSession:
		return setScope
	case kwTransaction:
		s.setLocal(SetsLocal)

		return setDone
	case kwConstraints:
		s.setLocal(0)

		return setDone
	case kwCharacteristics:
		return setDone
	case kwTime:
		if s.next.kw == kwZone {
			return setScope
		}
	case kwAuthorization:
		s.st.Effects |= SetsUser

		return setValue
	case kwZone, kwRole:
		return setValue
	}

	return setName
}

// setLocal takes in that what a SET sets is gone at the end of the transaction.
func (s *Scanner) setLocal(e Effects) {
	s.st.Effects = s.st.Effects&^SetsSession | e
}

// setTo takes in the first token of what a setting is set to, which is a literal with
// all behind it, unless it is the word DEFAULT alone.
func (s *Scanner) setTo(t *token) bool {
	s.set = setDone
	if t.kw == kwDefault && (s.next.kind == tokEnd || s.next.char == ';') {
		return false
	}
	s.literal(t, String)
	s.skipping = true

	return true
}

// value takes in another token of a literal that has more than one.
func (s *Scanner) value(t *token) {
	s.st.Values = absorb(s.st.Values, hashBytes(classValue, s.lex.text[t.start:t.end]))
}

// isName reports whether a word is a name where one is expected that is left out, and
// not the word in front of it, or ALL.
func (s *Scanner) isName(t *token) bool {
	named := s.next.kind == tokWord || s.next.kind == tokName || s.next.kind == tokParam
	switch kind := s.st.Kind; {
	case kind == Fetch || kind == Move:
		return !isDirection(t.kw)
	case kind == Release && t.kw == kwSavepoint, kind == Rollback && t.kw == kwSavepoint,
		kind == Deallocate && t.kw == kwPrepare:
		return !named
	case (kind == Deallocate || kind == Close) && t.kw == kwAll:
		s.nameNext = false
		if kind == Deallocate {
			s.st.Effects |= DeallocatesAll
		}

		return false
	case kind == Prepare && t.kw == kwTransaction && (s.next.kind == tokString || s.next.kind == tokParam):
		s.prepared()

		return false
	}

	return true
}

// prepared takes in that the statement is about a prepared transaction.
func (s *Scanner) prepared() {
	s.nameNext = false
	s.st.Kind = PrepareTransaction
	s.st.Effects = 0
}

// isDirection reports whether a keyword says what FETCH and MOVE do with a cursor, or
// stands in front of its name.
func isDirection(kw keyword) bool {
	switch kw {
	case kwNext, kwPrior, kwFirst, kwLast, kwAbsolute, kwRelative, kwForward, kwBackward, kwAll, kwFrom, kwIn:
		return true
	}

	return false
}
