package main

import (
	"testing"
	"time"
)

func TestMembersCommands(t *testing.T) {
	eachShell(t, func(s shell) {
		s.garden()
		s.run("members", "add", "--offer", "off_1").exits(2, "say who is to be added")
		s.run("members", "remove", "--offer", "off_1").exits(2, "one of --all, --members and --creators")
		s.run("members", "remove", "--all").exits(2, "offer")
		s.run("members", "remove", "--offer", "off_9", "--all").exits(1, "off_9")
		s.run("members", "commission", "--offer", "off_1", "--all", "--percent", "101").exits(2, "--percent")
		s.run("members", "commission", "--offer", "off_1", "--all", "--percent", "5", "--from", "2020-01-01").
			exits(1, "past")

		file := s.file("names.csv", "Anna Keller\nCleo Marsh, cleo@creators.example\n")
		s.run("members", "add", "--offer", "off_1", "--creators", file, "--dry-run").exits(0).prints("Anna Keller",
			"They become a creator of the community.", "1 would be changed, 1 are so already, 0 failed.")
		s.run("members", "add", "--offer", "off_1", "--creators", s.file("gone.csv", "cre_99\n")).exits(1)
		s.run("members", "add", "--offer", "off_1", "--creators", file).exits(0).prints("1 changed, 1 are so already")
		s.run("members", "commission", "--offer", "off_1", "--members", "ofm_1", "--percent", "15", "--flat", "1",
			"--from", time.Now().AddDate(0, 0, 2).UTC().Format("2006-01-02")).exits(0).prints("ofm_1", "1 changed")
		s.run("members", "deactivate", "--offer", "off_1", "--all").exits(0).prints("3 changed")
		s.run("members", "activate", "--offer", "off_1", "--creators", s.file("cleo.txt", "cleo@creators.example")).
			exits(0).prints("Cleo Marsh", "1 changed")
		s.run("members", "remove", "--offer", "off_1", "--members", "ofm_1,ofm_2", "--json").exits(0).
			prints("\"changed\": 2")
	})
}
