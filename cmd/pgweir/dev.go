package main

import (
	"context"
	"errors"
	"io"
)

// runDev is next.
func runDev(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	return errors.New("dev: not yet")
}
