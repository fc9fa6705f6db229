// Package browse has no code: its tests play the flows of a login with a real
// node and a real browser, as a viewer on a sofa sees them.
package browse
