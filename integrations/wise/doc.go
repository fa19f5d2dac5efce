// Package wise writes batch files for Wise, and reads the transfers that it lists. Unless a comment says otherwise the
// templates are those of wise.com/help/articles/2663302, as files in use have them in September 2026.
package wise
