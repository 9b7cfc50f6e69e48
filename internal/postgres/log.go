package postgres

import (
	"io"
	"math"
	"strings"
)

// logTailBytes is how much of the server's log goes into an error, or is returned by Log.
const logTailBytes = 4 << 10

// Log returns the end of what the server has written to its log. It returns "" once the cluster is stopped.
func (c *Cluster) Log() string {
	return c.logFrom(0)
}

// logSize returns the length of the log in bytes.
func (c *Cluster) logSize() (int64, error) {
	info, err := c.log.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// logFrom returns the log from an offset on, or the end of that. It returns "" if the log cannot be read: it is shown
// to people, and there is nothing else to show them.
func (c *Cluster) logFrom(offset int64) string {
	size, err := c.logSize()
	if err != nil {
		return ""
	}
	offset = max(offset, size-logTailBytes)
	text, err := io.ReadAll(io.NewSectionReader(c.log, offset, math.MaxInt64-offset))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
