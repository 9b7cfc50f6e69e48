//go:build !linux

package postgres

import (
	"bufio"
	"bytes"
	"fmt"
	"os/exec"
	"syscall"
)

// childAttributes returns how to start a server as the user c, nil for ourselves: in a process group of its own. There
// is no parent-death signal here: a server outlives this process if that is killed.
func childAttributes(c *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: c, Setpgid: true}
}

// childrenOf returns the ids of the processes whose parent is pid.
func childrenOf(pid int) ([]int, error) {
	out, err := exec.Command("ps", "-A", "-o", "pid=,ppid=").Output()
	if err != nil {
		return nil, err
	}
	var children []int
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		var child, parent int
		if _, err := fmt.Sscan(lines.Text(), &child, &parent); err != nil {
			return nil, err
		}
		if parent == pid {
			children = append(children, child)
		}
	}
	return children, nil
}
