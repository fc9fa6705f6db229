package main

import (
	"debug/buildinfo"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// Circumstances are what the figures of a report depend on beside what is measured.
// What could not be found out is empty.
type Circumstances struct {
	Time  time.Time `json:"time"`
	Go    string    `json:"go"`         // of ssobench
	CPUs  int       `json:"cpus"`       // shared by all servers and the generator
	Procs int       `json:"gomaxprocs"` // of the generator
	Model string    `json:"cpu_model"`  // as Linux names it
	// Bench and Ssod are the commits of the programs, with -dirty for a changed work tree.
	Bench string   `json:"ssobench_commit"`
	Ssod  string   `json:"ssod_commit"`
	Flags []string `json:"flags"` // the command line of ssobench
}

// circumstances are those of now, with the program that is measured.
func circumstances(ssod string) Circumstances {
	c := Circumstances{
		Time: time.Now().UTC().Truncate(time.Second), Go: runtime.Version(), CPUs: runtime.NumCPU(), Procs: runtime.GOMAXPROCS(0),
		Flags: os.Args[1:],
	}
	if cpuinfo, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		c.Model = cpuModel(string(cpuinfo))
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		c.Bench = commit(info)
	}
	if info, err := buildinfo.ReadFile(ssod); err == nil {
		c.Ssod = commit(info)
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

// commit is that of a build from a clone.
func commit(info *debug.BuildInfo) string {
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	revision := settings["vcs.revision"]
	if settings["vcs.modified"] == "true" {
		revision += "-dirty"
	}
	return revision
}
