package page

// notice is the content of a page that only says something.
var notice = MustParse(`<p>{{.}}</p>
`)

// Notice makes a page that tells a viewer how something ended well.
func Notice(title, text string) []byte {
	page, err := notice.Render(title, text)
	if err != nil {
		panic(err) // a string fits
	}
	return page
}
