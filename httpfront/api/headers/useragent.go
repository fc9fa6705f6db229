package headers

import "strings"

// agentRule says what a word in a User-Agent gives away. The version is read
// behind the word version, when there is one.
type agentRule struct {
	word    string
	also    string // must be in the User-Agent too
	implies deviceInfo
	version string
}

// agentRules are tried in order; the first that matches counts. Special
// devices come before the systems they are built on.
var agentRules = []agentRule{
	{word: "Roku", implies: deviceInfo{hardware: "MediaPlayer", osName: "Roku OS", manufacturer: "Roku"}, version: "Roku/DVP-"},
	{word: "AppleTV", implies: deviceInfo{hardware: "MediaPlayer", model: "AppleTV", osName: "tvOS", manufacturer: "Apple"}, version: "OS "},
	{word: "Apple TV", implies: deviceInfo{hardware: "MediaPlayer", model: "AppleTV", osName: "tvOS", manufacturer: "Apple"}, version: "tvOS "},
	{word: "iPhone", implies: deviceInfo{hardware: "MobilePhone", model: "iPhone", osName: "iOS", manufacturer: "Apple"}, version: "OS "},
	{word: "iPad", implies: deviceInfo{hardware: "Tablet", model: "iPad", osName: "iPadOS", manufacturer: "Apple"}, version: "OS "},
	{word: "Tizen", also: "TV", implies: deviceInfo{hardware: "TV", osName: "Tizen", manufacturer: "Samsung"}, version: "Tizen "},
	{word: "Tizen", implies: deviceInfo{osName: "Tizen", manufacturer: "Samsung"}, version: "Tizen "},
	{word: "Web0S", implies: deviceInfo{hardware: "TV", osName: "webOS", manufacturer: "LG"}},
	{word: "webOS", implies: deviceInfo{hardware: "TV", osName: "webOS", manufacturer: "LG"}, version: "webOS/"},
	{word: "; AFT", implies: deviceInfo{hardware: "MediaPlayer", osName: "Android", manufacturer: "Amazon"}, version: "Android "},
	{word: "PlayStation", implies: deviceInfo{hardware: "GamesConsole", model: "PlayStation", osName: "PlayStation OS", manufacturer: "Sony"}},
	{word: "Xbox", implies: deviceInfo{hardware: "GamesConsole", model: "Xbox", osName: "Xbox", manufacturer: "Microsoft"}},
	{word: "CrOS", implies: deviceInfo{hardware: "Desktop", osName: "Chrome OS"}},
	{word: "Android", also: "TV", implies: deviceInfo{hardware: "TV", osName: "Android"}, version: "Android "},
	{word: "Android", also: "Mobile", implies: deviceInfo{hardware: "MobilePhone", osName: "Android"}, version: "Android "},
	{word: "Android", implies: deviceInfo{hardware: "Tablet", osName: "Android"}, version: "Android "},
	{word: "Windows", implies: deviceInfo{hardware: "Desktop", osName: "Windows"}, version: "Windows NT "},
	{word: "Mac OS X", implies: deviceInfo{hardware: "Desktop", osName: "OS X", manufacturer: "Apple"}, version: "Mac OS X "},
	{word: "Linux", also: "TV", implies: deviceInfo{hardware: "TV", osName: "Linux"}},
	{word: "Linux", implies: deviceInfo{osName: "Linux"}},
}

// impliedBy returns what a User-Agent gives away about its device.
func impliedBy(agent string) deviceInfo {
	for _, rule := range agentRules {
		if strings.Contains(agent, rule.word) && strings.Contains(agent, rule.also) {
			info := rule.implies
			if rule.version != "" {
				info.osVersion = versionAfter(agent, rule.version)
			}
			return info
		}
	}
	return deviceInfo{}
}

// versionAfter reads a version behind a word: 14_5 and 14.5 are the same.
func versionAfter(agent, word string) string {
	_, rest, found := strings.Cut(agent, word)
	if !found {
		return ""
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return (r < '0' || r > '9') && r != '.' && r != '_' })
	if end >= 0 {
		rest = rest[:end]
	}
	return strings.ReplaceAll(strings.Trim(rest, "._"), "_", ".")
}
