package main

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// Circumstances are what the figures of a report depend on beside what is measured.
// What could not be found out is empty.
type Circumstances struct {
	Time  time.Time `json:"time"`
	Go    string    `json:"go"`           // of ssobench
	CPUs  int       `json:"cpus"`         // shared by all servers and the generator
	Procs int       `json:"gomaxprocs"`   // of the generator
	Model string    `json:"cpu_model"`    // as Linux names it
	Ssod  string    `json:"ssod_version"` // that make build gives it: git describe --always --dirty
	Flags []string  `json:"flags"`        // the command line of ssobench
}

// circumstances are those of now, with the program that is measured; none for a node
// that somebody else started.
func circumstances(ssod string) Circumstances {
	c := Circumstances{
		Time: time.Now().UTC().Truncate(time.Second), Go: runtime.Version(), CPUs: runtime.NumCPU(), Procs: runtime.GOMAXPROCS(0),
		Flags: os.Args[1:],
	}
	if cpuinfo, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		c.Model = cpuModel(string(cpuinfo))
	}
	if version, err := exec.Command(ssod, "--version").Output(); err == nil {
		c.Ssod = strings.TrimSpace(string(version))
	}
	return c
}

// cpuModel is the model of the first processor in /proc/cpuinfo.
func cpuModel(cpuinfo string) string {
	for line := range strings.Lines(cpuinfo) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
