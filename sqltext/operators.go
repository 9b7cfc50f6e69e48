package sqltext

// isSign says which bytes keep a + or - at the end of an operator in it.
var isSign = signBytes()

// signBytes makes isSign.
func signBytes() (table [256]bool) {
	for _, c := range "~!@#^&|`?%" {
		table[c] = true
	}

	return table
}

// operator reads an operator. It is the longest run of operator bytes, up to where a
// comment begins in it. A + or - at its end belongs to what comes behind, unless the
// operator has one of the bytes ~!@#^&|`?% in it.
//
// A run may be many operators, +-+-+- for one, so what is found out about it is kept
// for the next of them: otherwise a long run would take its length squared.
func (l *lexer) operator(t *token) {
	start := l.at
	if start >= l.runEnd {
		l.run(start)
	}
	end := l.runEnd
	if end-start > 1 && l.runTail < end && l.runSign < start {
		end = max(start+1, l.runTail)
	}
	l.set(t, tokOp, start, end)
	b := l.text[start:end]
	if len(b) == 1 {
		t.char, t.hash = b[0], classOp|uint64(b[0])<<8

		return
	}
	t.hash = hashBytes(classOp, b)
	if len(b) == 2 && b[0] == '!' && b[1] == '=' {
		t.hash = hashBytes(classOp, []byte("<>"))
	}
}

// run notes where the run of operator bytes ends that begins at i, where the + and - at
// its end begin, and where its last sign stands that keeps them.
func (l *lexer) run(i int) {
	l.runSign, l.runTail = -1, i
	text := l.text
	for ; i < len(text) && byteClass[text[i]] == byteOp; i++ {
		c := text[i]
		if (c == '-' || c == '/') && commentAt(text, i) {
			break
		}
		if isSign[c] {
			l.runSign = i
		}
		if c != '+' && c != '-' {
			l.runTail = i + 1
		}
	}
	l.runEnd = i
}
