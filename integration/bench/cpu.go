package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

// clockTick is the unit of utime and stime in /proc/PID/stat: USER_HZ, which is 100 on every architecture Go runs on.
const clockTick = 10 * time.Millisecond

// tickSlack is how far the two accounts of CPU time may lie apart because one of them is rounded to ticks: one tick for
// each of utime and stime at either end of the window.
const tickSlack = 4 * clockTick

// cpuMeter measures the CPU time that a process spends between two moments.
type cpuMeter struct {
	pid   int
	clock time.Duration // from cpuTime
	ticks time.Duration // from /proc/PID/stat
}

// startCPUMeter begins a measurement of the process pid.
func startCPUMeter(pid int) (*cpuMeter, error) {
	m := &cpuMeter{pid: pid}
	var err error
	m.clock, m.ticks, err = readCPU(pid)
	return m, err
}

// spent returns the CPU time used since the meter started. The clock's answer is checked against the kernel's other
// account: a number on which the two disagree is an error, not a result.
func (m *cpuMeter) spent() (time.Duration, error) {
	clock, ticks, err := readCPU(m.pid)
	if err != nil {
		return 0, err
	}
	byClock, byTicks := clock-m.clock, ticks-m.ticks
	if difference := (byClock - byTicks).Abs(); difference > tickSlack+byClock/20 {
		return 0, fmt.Errorf("the kernel's accounts of CPU time disagree: clock %v, utime+stime %v", byClock, byTicks)
	}
	return byClock, nil
}

// readCPU reads both accounts of a process's CPU time.
func readCPU(pid int) (clock, ticks time.Duration, err error) {
	if clock, err = cpuTime(pid); err != nil {
		return 0, 0, err
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	ticks, err = parseStatTicks(stat)
	return clock, ticks, err
}

// parseStatTicks returns utime+stime out of the text of /proc/PID/stat.
func parseStatTicks(stat []byte) (time.Duration, error) {
	// The second field, the command's name in parentheses, may hold blanks and parentheses itself.
	_, afterName, found := cutLast(stat, []byte(") "))
	fields := bytes.Fields(afterName)
	if !found || len(fields) < 13 {
		return 0, errors.New("/proc/PID/stat: too few fields")
	}
	// proc(5) numbers the fields from 1: utime is 14 and stime 15, and fields[0] is number 3.
	user, userErr := strconv.ParseInt(string(fields[11]), 10, 64)
	system, systemErr := strconv.ParseInt(string(fields[12]), 10, 64)
	return time.Duration(user+system) * clockTick, errors.Join(userErr, systemErr)
}

// cutLast is bytes.Cut at the last place where sep occurs.
func cutLast(s, sep []byte) (before, after []byte, found bool) {
	i := bytes.LastIndex(s, sep)
	if i < 0 {
		return s, nil, false
	}
	return s[:i], s[i+len(sep):], true
}
