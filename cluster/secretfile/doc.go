// Package secretfile reads files that hold secrets, and refuses those that others
// could read too: a secret that everybody on the machine has is none.
//
// A file is private when
//
//   - it belongs to the user that the process runs as, or to root, and
//   - nobody else may do anything with it, its group excepted when the process is
//     in that group, or when owner and group are root's: that is how orchestrators
//     hand secrets to a process that does not run as root. (Where an access control
//     list names the process, as systemd's does, the bits of the group are the
//     most that the list grants to anybody.)
//
// What counts is the file that was opened, behind all symbolic links, and not the
// directories above it: a directory can be opened up later without a thought of what
// lies deep below.
package secretfile
