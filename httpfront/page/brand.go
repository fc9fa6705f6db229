package page

import "strings"

// Brand is who a page speaks for. The zero Brand is nobody.
type Brand struct {
	Name    string
	LogoURL string // shown instead of the name; empty: none
	IconURL string // of the browser's tab; empty: none
	// Light and Dark are the colours, as #rrggbb, of a light and a dark page: of buttons,
	// under white and under nearly black text, and of links. Empty: ours. Package config
	// checks their contrast.
	Light, Dark string
}

// colours is the style of a brand after the layout's own one.
const colours = `
body { border-color: $light; }
button, a, a.button { color: $light; }
button.provider, a.provider, button:hover, a.button:hover { color: #1b1b1f; }
button.first, a.first, button.first:hover, a.first:hover { background-color: $light; color: #fff; }
button:focus, a.button:focus, button.first:focus, a.first:focus { background-color: #fff3c4; color: #1b1b1f; }
@media (prefers-color-scheme: dark) {
  body { border-color: $dark; }
  button, a, a.button { color: $dark; }
  button.provider, a.provider, button:hover, a.button:hover { color: #ececf1; }
  button.first, a.first, button.first:hover, a.first:hover { background-color: $dark; color: #0f1115; }
  button:focus, a.button:focus, button.first:focus, a.first:focus { background-color: #ffe08a; color: #0f1115; }
}
`

// style is what a brand adds to the style.
func (b *Brand) style() string {
	if b.Light == "" || b.Dark == "" {
		return ""
	}
	return strings.NewReplacer("$light", b.Light, "$dark", b.Dark).Replace(colours)
}
