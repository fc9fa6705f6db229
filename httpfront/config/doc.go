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
// A [Config] never changes after Parse. A [Current] holds the one in use and
// says which reloads it accepts: whoever wants the configuration of the moment
// asks it once per request and keeps the answer until the request is done.
//
// [Load] reads a file and also checks that the files it names can be read;
// what is inside key files is judged by package keys. [Demo] is what a node
// uses that was given no file.
package config
