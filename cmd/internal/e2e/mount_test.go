package e2e

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// inMount is a command that sees a tmpfs with these mount options at dir. The
// mount is in a namespace of the process and ends with it; without root the
// process becomes root of a user namespace to be allowed to mount.
func inMount(options, dir, program string, args ...string) *exec.Cmd {
	script := `mkdir -p "$1" && mount -t tmpfs -o "$0" tmpfs "$1" && shift && exec "$@"`
	cmd := exec.Command("sh", append([]string{"-c", script, options, dir, program}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	return cmd
}

// seenBy is the path of a file as the node's process sees it.
func (n *node) seenBy(file string) string {
	return "/proc/" + strconv.Itoa(n.process.ID()) + "/root" + file
}
