// Package config reads the configuration file of a node.
//
// The file is YAML and says who the tenants (realms) are and how they want
// their tokens, link codes and limits; addresses and directories are flags and
// not here. Every key has a default, so the smallest file names one realm and
// its service providers.
//
// [Parse] is strict: an unknown key, a value of the wrong form, an id that is
// used twice, a number out of its range are mistakes. It reports all of them
// at once as [Mistakes], each with its line. What works but is unwise (a
// lifetime below its range) is in [Config.Warnings].
//
// A [Config] never changes after Parse. A [Current] holds the one in use and says which
// reloads it accepts: a request reads it once and keeps the result until it is done.
//
// [Load] reads a file and also checks that the files it names can be read; package keys
// judges the content of key files. [Demo] is the configuration of a node without a file.
package config
