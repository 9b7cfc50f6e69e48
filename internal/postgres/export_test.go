package postgres

// PID returns the postmaster's process id.
func (c *Cluster) PID() int { return c.server.pid() }

// Children returns the ids of the postmaster's children.
func (c *Cluster) Children() ([]int, error) { return childrenOf(c.server.pid()) }
