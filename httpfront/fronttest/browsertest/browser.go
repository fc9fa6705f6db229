package browsertest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// names are what Chromium is called.
var names = []string{"chromium", "chromium-browser", "google-chrome", "headless-shell"}

// patience is how long any step may take, on a machine that does much else.
const patience = time.Minute

// Browser is one window with its own cookies, of the test that started it.
type Browser struct {
	t   testing.TB
	ctx context.Context
	// scriptless: pages run no script. That of axe does, in a page that ran none.
	scriptless bool

	mu         sync.Mutex
	complaints []string
}

// Start starts a browser that ends with the test. It skips the test where there is none.
// Hosts are names and where the browser finds them, as in "sso.internal 127.0.0.1:8080".
func Start(t testing.TB, hosts ...string) *Browser {
	t.Helper()
	path := find()
	if path == "" {
		t.Skipf("no browser: none of %s is installed", strings.Join(names, ", "))
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.NoSandbox, // Chromium's own one does not work for root, as in a container
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.WSURLReadTimeout(patience),
	)
	for i, host := range hosts {
		hosts[i] = "MAP " + host
	}
	if len(hosts) > 0 {
		options = append(options, chromedp.Flag("host-resolver-rules", strings.Join(hosts, ",")))
	}
	allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(end)
	b := &Browser{t: t}
	var leave context.CancelFunc
	b.ctx, leave = chromedp.NewContext(allocator)
	t.Cleanup(leave)
	// The browser lives as long as the context that it is started with.
	if err := chromedp.Listen(b.ctx, b.listen); err != nil {
		t.Fatalf("browser: %s: %v", path, err)
	}
	run(b, "focus", chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		// As if the window was in front: else nothing on the page looks focused.
		_, err := chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
		return err
	}))
	b.Resize(1280)
	return b
}

func find() string {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// listen collects what the page does wrong: scripts that fail, content that
// its policy blocks.
func (b *Browser) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError && !strings.Contains(e.Entry.URL, "/favicon.ico") {
			b.complaints = append(b.complaints, e.Entry.Text)
		}
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, e.ExceptionDetails.Text)
	}
}

// Complaints are the errors in the browser's console since the last call.
func (b *Browser) Complaints() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := b.complaints
	b.complaints = nil
	return list
}

// run takes a step, and ends the test when that fails.
func run[T any](b *Browser, what string, step chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	result, err := chromedp.Run(ctx, step)
	if err != nil {
		b.t.Fatalf("browser: %s: %v", what, err)
	}
	return result
}

// Open loads a page.
func (b *Browser) Open(url string) {
	b.t.Helper()
	run(b, "open "+url, chromedp.Navigate(url))
}

// Back goes back to the page before, as the key of a remote control does.
func (b *Browser) Back() {
	b.t.Helper()
	run(b, "go back", chromedp.NavigateBack())
}

// Resize makes the window so wide, in CSS pixels.
func (b *Browser) Resize(width int64) {
	b.t.Helper()
	run(b, "resize", chromedp.EmulateViewport(width, 720))
}

// PreferDark has the viewer prefer dark pages.
func (b *Browser) PreferDark() { b.t.Helper(); b.prefer("dark") }

// PreferLight takes PreferDark back.
func (b *Browser) PreferLight() { b.t.Helper(); b.prefer("light") }

func (b *Browser) prefer(scheme string) {
	b.t.Helper()
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	run(b, "prefer "+scheme, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, media)
		return err
	}))
}

// DisableScripts lets the pages that are opened from now on run no script.
func (b *Browser) DisableScripts() {
	b.t.Helper()
	b.setScripts(false)
	b.scriptless = true
}

func (b *Browser) setScripts(on bool) {
	b.t.Helper()
	run(b, "scripts", chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
		return err
	}))
}

// Speak has the viewer prefer a language.
func (b *Browser) Speak(language string) {
	b.t.Helper()
	header := network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": language}}
	run(b, "speak "+language, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
		if err != nil {
			return err
		}
		_, err = chromedp.Call(ctx, network.SetExtraHTTPHeaders, header)
		return err
	}))
}

// Type types a text into what has the focus.
func (b *Browser) Type(text string) {
	b.t.Helper()
	run(b, "type "+text, chromedp.KeyEvent(text))
}

// Focus gives the focus to what a selector of CSS finds, once it is there.
func (b *Browser) Focus(selector string) {
	b.t.Helper()
	run(b, "focus "+selector, chromedp.Focus(selector))
}

// AwaitText waits until the page shows a text. The browser may go from page to page by itself
// until then: what is asked of one that is on its way out fails, and is asked again.
func (b *Browser) AwaitText(text string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	var shown string
	var err error
	for ; ctx.Err() == nil; <-tick.C {
		shown, err = chromedp.Run(ctx, chromedp.Evaluate[string](pageText))
		if err == nil && strings.Contains(oneLine(shown), text) {
			return
		}
	}
	b.t.Fatalf("browser: the page does not show %q (%v)", text, err)
}

// keys are what the keys of a remote control send.
var keys = map[string]string{
	"Tab": kb.Tab, "Enter": kb.Enter, "ArrowDown": kb.ArrowDown, "ArrowUp": kb.ArrowUp,
	"ArrowLeft": kb.ArrowLeft, "ArrowRight": kb.ArrowRight, "Escape": kb.Escape, "Backspace": kb.Backspace,
}

// Press presses a key: Tab, Enter, ArrowDown...
func (b *Browser) Press(key string) {
	b.t.Helper()
	run(b, "press "+key, chromedp.KeyEvent(keys[key]))
}

// PressAndWait presses a key that leads to another page, and waits for it.
func (b *Browser) PressAndWait(key string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.KeyEvent(keys[key])); err != nil {
		b.t.Fatalf("browser: press %s: %v", key, err)
	}
}

// Focused is the text of what has the focus, in one line; empty for the page
// itself.
func (b *Browser) Focused() string {
	b.t.Helper()
	return b.text(`document.activeElement === document.body ? "" : document.activeElement.innerText`)
}

// AwaitFocus waits until something has the focus and returns its text: a browser
// gives it to what asks for it when it first paints the page, after the load.
func (b *Browser) AwaitFocus() string {
	b.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-tick.C {
		if text := b.Focused(); text != "" {
			return text
		}
	}
	b.t.Fatal("browser: nothing has the focus")
	return ""
}

// Find presses a key until what has the focus begins with text.
func (b *Browser) Find(key, text string) {
	b.t.Helper()
	const most = 50
	for range most {
		if strings.HasPrefix(b.Focused(), text) {
			return
		}
		b.Press(key)
	}
	b.t.Fatalf("browser: %d times %s does not lead to %q", most, key, text)
}

// Text is what the page shows, in one line.
func (b *Browser) Text() string {
	b.t.Helper()
	return b.text(pageText)
}

// pageText is empty while the page that comes has no body yet.
const pageText = `document.body?.innerText ?? ""`

// Location is the address of the page.
func (b *Browser) Location() string {
	b.t.Helper()
	return b.text(`location.href`)
}

func (b *Browser) text(expression string) string {
	b.t.Helper()
	return oneLine(run(b, expression, chromedp.Evaluate[string](expression)))
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// Overhang is by how many pixels the page is wider than the window.
func (b *Browser) Overhang() int {
	b.t.Helper()
	return run(b, "measure", chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`))
}

// Picture is what the window shows, as PNG.
func (b *Browser) Picture() []byte {
	b.t.Helper()
	return run(b, "picture", chromedp.CaptureScreenshot())
}

// Screenshot leaves a picture of the whole page where SSOD_SCREENSHOTS says.
func (b *Browser) Screenshot(name string) {
	b.t.Helper()
	dir := os.Getenv("SSOD_SCREENSHOTS")
	if dir == "" {
		return
	}
	picture := run(b, "screenshot", chromedp.FullScreenshot(100))
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o600); err != nil {
		b.t.Fatal(fmt.Errorf("browser: screenshot: %w", err))
	}
}
