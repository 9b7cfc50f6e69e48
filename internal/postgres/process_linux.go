package postgres

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// childAttributes returns how to start a server as the user c, nil for ourselves: in a process group of its own, and
// with SIGQUIT, an immediate shutdown, if this process dies, however it dies. SIGKILL would be surer yet leave the
// server's shared memory allocated; a fast shutdown (SIGINT) waits for the backends.
func childAttributes(c *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: c, Setpgid: true, Pdeathsig: syscall.SIGQUIT}
}

// childrenOf returns the ids of the processes whose parent is pid.
func childrenOf(pid int) ([]int, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	var children []int
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // The process has ended since.
		}
		if child, parent := parseStat(stat); parent == pid {
			children = append(children, child)
		}
	}
	return children, nil
}

// parseStat returns the process id and the parent's id from the contents of /proc/PID/stat, see proc_pid_stat(5):
// "PID (NAME) STATE PPID ...", where the name may hold blanks and parentheses. Both are 0 if it reads otherwise.
func parseStat(stat []byte) (pid, parent int) {
	id, _, _ := bytes.Cut(stat, []byte(" "))
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 2 {
		return 0, 0
	}
	pid, pidErr := strconv.Atoi(string(id))
	parent, parentErr := strconv.Atoi(string(fields[1]))
	if pidErr != nil || parentErr != nil {
		return 0, 0
	}
	return pid, parent
}
