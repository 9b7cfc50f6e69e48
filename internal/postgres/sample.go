package postgres

import (
	"context"
	_ "embed" // for Sample
	"fmt"
)

// Sample is the SQL that fills the database of a small shop. It makes everything as the role app.
//
//go:embed sample.sql
var Sample string

// The database that LoadSample makes, and the role that owns it.
const (
	SampleDatabase = "shop"
	SampleUser     = "app"
	SamplePassword = "app"
)

// LoadSample makes the sample database with its data, and the role that owns it.
func (c *Cluster) LoadSample(ctx context.Context) error {
	role := fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s';\n", SampleUser, SamplePassword)
	database := fmt.Sprintf("CREATE DATABASE %s OWNER %s;\n", SampleDatabase, SampleUser)
	if err := c.Exec(ctx, "postgres", role+database); err != nil {
		return err
	}
	return c.Exec(ctx, SampleDatabase, Sample)
}
