// Package qr draws QR codes (ISO/IEC 18004) as SVG, for apps to show on a TV: small texts
// that stay sharp at any size and need no library on the device.
//
// rsc.io/qr makes the grid. It needs no other module, and its error correction of level M
// restores a code of which glare hides about a seventh.
package qr
