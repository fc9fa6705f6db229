package qr

import (
	"fmt"
	"strconv"

	"rsc.io/qr"
)

// quiet is the white margin around a code in modules; less and some readers do not find it
// (ISO/IEC 18004, 6.3.8).
const quiet = 4

// MaxText is the longest text in bytes that a code of level M holds.
const MaxText = 2331

// SVG is a text as a picture in black on white, also on a dark page. It has no size of its
// own. Fails when the text is longer than MaxText.
func SVG(text string) (string, error) {
	grid, err := qr.Encode(text, qr.M)
	if err != nil {
		return "", fmt.Errorf("QR code of %d bytes: %w", len(text), err)
	}
	side := strconv.Itoa(grid.Size + 2*quiet)
	b := make([]byte, 0, 4<<10)
	b = append(b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 `+side+` `+side+`" shape-rendering="crispEdges">`...)
	b = append(b, `<path fill="#fff" d="M0 0h`+side+`v`+side+`H0z"/><path stroke="#000" d="`...)
	for y := range grid.Size {
		b = appendRow(b, grid, y)
	}
	return string(append(b, `"/></svg>`...)), nil
}

// appendRow appends the black runs of a row: lines of width 1 through its middle. The first
// one says where the row is, the others how far they are from the end of the one before.
func appendRow(b []byte, grid *qr.Code, y int) []byte {
	end := -1
	for x := 0; x < grid.Size; x++ {
		if !grid.Black(x, y) {
			continue
		}
		if end < 0 {
			b = fmt.Appendf(b, "M%d %d.5", x+quiet, y+quiet)
		} else {
			b = fmt.Appendf(b, "m%d 0", x-end)
		}
		begin := x
		for grid.Black(x, y) {
			x++
		}
		b = fmt.Appendf(b, "h%d", x-begin)
		end = x
	}
	return b
}
