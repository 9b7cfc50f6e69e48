// Package config holds pgweir's settings: one table of them, and everything
// that follows from the table.
//
// A row of the table (a [Setting]) says what a setting is called, where its
// value goes, what it may be, what it is by default and what it means. Reading
// the file, the environment and the flags, checking the values, SHOW CONFIG,
// config.toml.example and docs/configuration.md are all driven by these rows,
// so a new setting is one field and one row, and a new table in the file is one
// struct and one section.
//
// [Load] lays the sources over each other: defaults, then the file, then the
// environment, then the flags. It is strict and it is patient: an unknown key
// is a problem with a suggestion, and all problems are returned together, as
// one [Problems] error with a line for each.
//
// The package reads files but never logs, opens no connection, and knows
// nothing of the packages that use the settings. A [Config] is a plain value;
// once loaded nothing in this package changes it, so it may be shared between
// goroutines that only read it.
//
// Passwords are of type [Secret], which prints as ***. No error of this package
// repeats one.
package config
