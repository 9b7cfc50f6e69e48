package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// machine is where the measuring is done.
type machine struct {
	cpu    string // model
	cores  int
	kernel string
	golang string
	load   float64 // runnable processes, mean of the last minute, before we add to it
}

// thisMachine describes the machine we run on.
func thisMachine() machine {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		info = nil // No /proc, no model.
	}
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		load = nil
	}
	return machine{
		cpu: cpuModel(info), cores: runtime.NumCPU(), kernel: kernelRelease(), golang: runtime.Version(),
		load: firstNumber(load),
	}
}

// firstNumber returns the number at the start of text, 0 if there is none.
func firstNumber(text []byte) float64 {
	word, _, _ := strings.Cut(string(text), " ")
	number, err := strconv.ParseFloat(word, 64)
	if err != nil {
		return 0
	}
	return number
}

// cpuModel returns the model of the first CPU in the text of /proc/cpuinfo, or the architecture if it tells none, as
// on many arm64 machines.
func cpuModel(cpuinfo []byte) string {
	lines := bufio.NewScanner(bytes.NewReader(cpuinfo))
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), ":")
		if strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// String describes the machine on one line.
func (m machine) String() string {
	return fmt.Sprintf("%s, %d cores, %s, %s", m.cpu, m.cores, m.kernel, m.golang)
}

// isBusy tells whether the machine had something else to do: others then take CPU time and caches from one contestant
// and not from the other.
func (m machine) isBusy() bool { return m.load > float64(m.cores)/2 }
