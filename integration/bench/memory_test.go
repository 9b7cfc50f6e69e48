package main

import "testing"

func TestParseKilobytes(t *testing.T) {
	const status = "Name:\tpgbouncer\nVmHWM:\t   14000 kB\nVmRSS:\t   12600 kB\nThreads:\t1\n" +
		"Pss_Dirty:  7 kB\nPss:   99 kB\n"
	tests := []struct {
		key     string
		want    int64
		wantErr bool
	}{
		{key: "VmRSS", want: 12600 << 10},
		{key: "Pss", want: 99 << 10}, // Not Pss_Dirty, which comes first.
		{key: "VmSwap", wantErr: true},
		{key: "Name", wantErr: true},
	}
	for _, tt := range tests {
		t.Run(tt.key, func(t *testing.T) {
			got, err := parseKilobytes([]byte(status), tt.key)
			if got != tt.want || (err != nil) != tt.wantErr {
				t.Errorf("got %d, %v; want %d", got, err, tt.want)
			}
		})
	}
}
