// Package secretfile reads files that hold secrets, and refuses those that other users could
// read.
//
// A file is private when
//
//   - it belongs to the user that the process runs as, or to root, and
//   - no others have access to it, except its group when the process is in that group or
//     when owner and group are root's: so orchestrators hand secrets to a process that does
//     not run as root. (Where an access control list names the process, as systemd's does,
//     the bits of the group are the most that the list grants.)
//
// The file that was opened counts, behind all symbolic links, not the directories above it,
// whose modes may change later.
package secretfile
