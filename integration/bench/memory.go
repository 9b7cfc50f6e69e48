package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// memory is what a process occupies, in bytes.
type memory struct {
	resident     int64 // VmRSS: pages in memory, shared ones in full
	proportional int64 // Pss: the same, with a shared page split among its users; 0 where the kernel does not tell
}

// readMemory reads the memory of the process pid.
func readMemory(pid int) (memory, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return memory{}, err
	}
	m := memory{}
	if m.resident, err = parseKilobytes(status, "VmRSS"); err != nil {
		return memory{}, err
	}
	// Not every kernel has it, and not every user may read it: RSS alone will do then.
	if rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid)); err == nil {
		m.proportional, _ = parseKilobytes(rollup, "Pss")
	}
	return m, nil
}

// parseKilobytes returns, in bytes, the value of a "Key:   123 kB" line of a /proc file.
func parseKilobytes(text []byte, key string) (int64, error) {
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		value, found := strings.CutPrefix(lines.Text(), key+":")
		if !found {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(value, "kB")), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", key, err)
		}
		return n << 10, nil
	}
	return 0, fmt.Errorf("no line %s", key)
}
