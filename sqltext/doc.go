// Package sqltext reads the text of SQL statements: what is the same statement, what
// kind it is, what it may leave in its session, which tables and tags are in it.
//
// It is a lexer with a memory, not a parser. It cuts a text where PostgreSQL's own
// scanner does, in one pass and without allocating, and hashes what is left when
// literals, comments and the length of lists are taken away. docs/fingerprints.md says
// what is taken away and what is not, for users.
//
//	id := sqltext.Fingerprint(text, sqltext.Options{})  // of the first statement
//	facts := sqltext.Look(text, sqltext.Options{})      // of all of them
//
// A [Scanner] gives both for each statement of a text. What costs more is made on demand
// only: [Normalise] the text to show, [Summary] a few words, [DetailsOf] names and what
// values are compared with, [Statement.Tags] what comments say, [Literals] values.
//
// What a lexer cannot know it does not pretend to: which schema a name is in, what a
// function does, what is in a view. Effects are therefore "may", and where a text is in
// doubt they say so.
//
// # The fingerprint
//
// A fingerprint is 64 bits, see hash.go for the function. Each token that counts is
// absorbed as a number made of its class, its length and its bytes: words in lower
// case, names without their quotes, operators and signs as they are, one number for
// every literal and parameter. The elements of a list are hashed by themselves; the hash
// of an element is absorbed unless it is that of the element before it. [Version] is
// absorbed first and counts up when a rule changes, so fingerprints of two versions do
// not mix.
//
// Concurrency: functions keep no state. A [Scanner] belongs to one goroutine.
//
// Lifetime: a [Statement] holds offsets and no bytes, and strings are copies. What is
// given to the function of [Literals] is part of the text.
//
// Errors: there are none. What PostgreSQL could not read is a statement of kind
// [Invalid].
package sqltext
