package sqltext

// Fingerprint returns the fingerprint of the first statement of a text, that of no
// tokens if there is none. It allocates nothing.
func Fingerprint(text []byte, o Options) ID {
	var s Scanner
	s.Init(text, o)
	if !s.Next() {
		s.begin()
		s.end()
	}

	return s.st.Fingerprint
}
