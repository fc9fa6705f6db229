// Package typedcode reads codes as people type them: off one screen, on the
// keyboard of another device, with whatever that keyboard adds. Link codes and
// codes of logins are read by the same rule, in headers and in paths.
//
// It follows the advice of RFC 8628, 6.1: case does not matter, and characters that no
// code has are ignored. So [Canonical] keeps letters and digits only. Blanks of all
// kinds, dashes, dots, invisible characters and marks that keyboards and messengers
// insert are dropped.
//
// What is left is folded to the letters and digits that codes are made of:
//
//   - lower case to upper case
//   - full-width, mathematical, circled and raised forms to the plain ones
//     (normalisation form KC of Unicode)
//   - decimal digits of every script to 0 to 9: a viewer who reads 228128 on the
//     TV types it with the digits of the phone's keyboard, Arabic ones for
//     instance, and each digit has one value, so there is nothing to mistake
//
// Letters of other scripts stay as they are, even if they look like Latin ones; no code
// has them. Folding happens before a code is looked up, so that all spellings of a code
// are one guess.
package typedcode
