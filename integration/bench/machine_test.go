package main

import (
	"runtime"
	"testing"
)

func TestCPUModel(t *testing.T) {
	tests := []struct{ name, cpuinfo, want string }{
		{"amd64", "processor\t: 0\nmodel\t\t: 17\nmodel name\t: Abacus 9 @ 2 GHz\nprocessor\t: 1\n", "Abacus 9 @ 2 GHz"},
		{"arm64 tells none", "processor\t: 0\nCPU part\t: 0xd0c\n", runtime.GOARCH},
		{"no /proc", "", runtime.GOARCH},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := cpuModel([]byte(tt.cpuinfo)); got != tt.want {
				t.Errorf("model %q, want %q", got, tt.want)
			}
		})
	}
}

func TestFirstNumber(t *testing.T) {
	tests := []struct {
		text string
		want float64
	}{{"0.52 0.10 0.03 1/98 4711\n", 0.52}, {"", 0}, {"none", 0}}
	for _, tt := range tests {
		if got := firstNumber([]byte(tt.text)); got != tt.want {
			t.Errorf("firstNumber(%q) = %v, want %v", tt.text, got, tt.want)
		}
	}
}
