package dashboard

import (
	"fmt"
	"html/template"
)

// iconPaths are drawn for this product on a grid of 24, with lines of 2.
var iconPaths = map[string]string{
	"logo":     `<path d="M5 3c0 5 7 5 7 10v8"/><path d="M19 3c0 5-7 5-7 10"/>`,
	"home":     `<path d="M4 11 12 4l8 7"/><path d="M6 10v10h12V10"/>`,
	"campaign": `<path d="M4 10v4h3l9 5V5l-9 5z"/><path d="M19 10v4"/>`,
	"people":   `<circle cx="9" cy="8" r="3.5"/><path d="M3 20c0-4 3-6 6-6s6 2 6 6"/><path d="M16 5a3.5 3.5 0 0 1 0 6.5"/><path d="M18 15c2 .7 3 2.5 3 5"/>`,
	"person":   `<circle cx="12" cy="8" r="4"/><path d="M4 21c0-5 4-7 8-7s8 2 8 7"/>`,
	"order":    `<path d="M5 8h14l-1 12H6z"/><path d="M9 8a3 3 0 0 1 6 0"/>`,
	"gift":     `<path d="M4 12v8h16v-8"/><path d="M3 8h18v4H3z"/><path d="M12 8v12M12 8C8 8 7 3 9.5 3S12 8 12 8s0-5 2.5-5S16 8 12 8"/>`,
	"mail":     `<rect x="3" y="5" width="18" height="14" rx="2"/><path d="m4 7 8 6 8-6"/>`,
	"payout":   `<rect x="3" y="6" width="18" height="12" rx="2"/><circle cx="12" cy="12" r="2.5"/>`,
	"store":    `<path d="M4 10v10h16V10"/><path d="M3 10 5 4h14l2 6z"/><path d="M10 20v-5h4v5"/>`,
	"settings": `<circle cx="12" cy="12" r="3"/><path d="M12 3v3M12 18v3M3 12h3M18 12h3M5.6 5.6l2.1 2.1M16.3 16.3l2.1 2.1M5.6 18.4l2.1-2.1M16.3 7.7l2.1-2.1"/>`,
	"check":    `<path d="m5 13 4 4L19 7"/>`,
	"alert":    `<path d="M12 3 2 20h20z"/><path d="M12 10v4M12 17v.5"/>`,
	"info":     `<circle cx="12" cy="12" r="9"/><path d="M12 11v6M12 7v.5"/>`,
	"clock":    `<circle cx="12" cy="12" r="9"/><path d="M12 7v5l3 2"/>`,
	"cross":    `<path d="m6 6 12 12M18 6 6 18"/>`,
	"back":     `<path d="M9 7 4 12l5 5"/><path d="M4 12h11a5 5 0 0 1 0 10"/>`,
	"half":     `<circle cx="12" cy="12" r="9"/><path d="M12 3v18"/>`,
	"minus":    `<path d="M5 12h14"/>`,
	"pause":    `<path d="M8 5v14M16 5v14"/>`,
	"plus":     `<path d="M12 5v14M5 12h14"/>`,
	"beaker":   `<path d="M9 3h6M10 3v7l-5 9h14l-5-9V3"/>`,
	"download": `<path d="M12 4v11M7 11l5 5 5-5M4 20h16"/>`,
	"columns":  `<rect x="3" y="4" width="18" height="16" rx="2"/><path d="M9 4v16M15 4v16"/>`,
	"filter":   `<path d="M4 5h16l-6 8v6l-4-2v-4z"/>`,
	"search":   `<circle cx="11" cy="11" r="6"/><path d="m16 16 5 5"/>`,
	"tag":      `<path d="M3 12V4h8l10 10-8 8z"/><circle cx="8" cy="9" r="1"/>`,
	"link":     `<path d="M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1"/><path d="M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1"/>`,
	"key":      `<circle cx="8" cy="15" r="4"/><path d="m11 12 9-9M16 7l3 3"/>`,
	"list":     `<path d="M8 6h12M8 12h12M8 18h12M4 6h.1M4 12h.1M4 18h.1"/>`,
	"up":       `<path d="M12 19V5M6 11l6-6 6 6"/>`,
	"down":     `<path d="M12 5v14M6 13l6 6 6-6"/>`,
	"right":    `<path d="m9 5 7 7-7 7"/>`,
	"copy":     `<rect x="8" y="8" width="12" height="12" rx="2"/><path d="M16 8V4H4v12h4"/>`,
	"device":   `<rect x="3" y="4" width="18" height="12" rx="2"/><path d="M8 20h8M12 16v4"/>`,
	"sun":      `<circle cx="12" cy="12" r="4"/><path d="M12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M5 19l2-2M17 7l2-2"/>`,
	"moon":     `<path d="M20 14A8.5 8.5 0 0 1 10 4a8.5 8.5 0 1 0 10 10z"/>`,
	"refresh":  `<path d="M20 12a8 8 0 1 1-2.5-5.8M20 3v4h-4"/>`,
}

// icon draws one; words beside it say what it means, so readers of the page are not told of it.
func icon(name string, size ...int) (template.HTML, error) {
	path, ok := iconPaths[name]
	if !ok {
		return "", fmt.Errorf("there is no icon %s", name)
	}
	width := 18
	if len(size) > 0 {
		width = size[0]
	}
	return template.HTML(fmt.Sprintf(`<svg width="%d" height="%d" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">%s</svg>`, width, width, path)), nil
}
