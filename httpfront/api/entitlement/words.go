package entitlement

// words are all texts that viewers read on the pages of this package.
var words = struct {
	Question, Asks, For, Device, Unknown, Code, Advice, Continue, Decline string
	Declined, Over, SignedOut, Close                                      string
	devices                                                               map[string]string
}{
	Question: "Is this your device?",
	Asks:     "asks you to sign in with",
	For:      "for this device:",
	Device:   "Device",
	Unknown:  "Not known",
	Code:     "Code",
	Advice: "Continue only if the screen of the device shows this code. " +
		"If somebody sent you the link, they would watch with your subscription.",
	Continue: "Continue",
	Decline:  "This is not my device",

	Declined: "The login has ended",
	Over:     "Nobody can log in with this link any more. You can close the page.",

	SignedOut: "You are signed out",
	Close:     "You can close this page.",

	// By the types of devices; package headers.
	devices: map[string]string{
		"smartTV": "TV", "mobile": "Phone", "tablet": "Tablet", "desktop": "Computer", "setTopBox": "Set-top box",
		"gamesConsole": "Games console", "mediaPlayer": "Streaming player",
	},
}
