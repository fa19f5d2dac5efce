package dashboard

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/web"
)

// newMembersPage finds creators to add to an offer: in the community, in pasted lines, or in a file.
type newMembersPage struct {
	offerHead
	Text   string
	Found  []foundNewcomer
	More   bool // than are shown
	List   string
	Book   string // the file in base64, where it is no text
	Lines  *newcomers
	Errors fieldErrors
}

// foundNewcomer is a creator of the community who can be added.
type foundNewcomer struct {
	affiliate.Creator
	Handle string
	Ticked bool
	State  *badge // how they stand in the offer; nil: they are not in it
}

// newcomers are what lines mean.
type newcomers struct {
	Known, New, Wrong []app.NewcomerLine
}

// N is how many can be added.
func (n newcomers) N() int64 { return int64(len(n.Known) + len(n.New)) }

// Text says how many lines mean whom.
func (n newcomers) Text() string {
	text := counted(int64(len(n.Known)), "is", "are") + " in the community, " + countText(len(n.New)) +
		" would be made"
	if len(n.Wrong) > 0 {
		text += ", " + counted(int64(len(n.Wrong)), "line is", "lines are") + " wrong and left out"
	}
	return text + "."
}

func (r *request) newOfferMembersPage() error {
	p, err := r.newOfferMembers()
	if err != nil {
		return err
	}
	return r.show("offer_members_new.html", p)
}

// newOfferMembers reads the search; who was ticked before comes first and stays ticked.
func (r *request) newOfferMembers() (*newMembersPage, error) {
	o, err := r.offerOfCampaign()
	if err != nil {
		return nil, err
	}
	p := &newMembersPage{Text: strings.TrimSpace(r.Query("q"))}
	if p.offerHead, err = r.offerHead(o, "creators", "Add members"); err != nil {
		return nil, err
	}
	ctx, db := r.Request.Context(), r.d.App.DB
	ticked, err := affiliate.ParseIDs[affiliate.CreatorID]("creators", "cre_", r.QueryArray("creators"))
	if err != nil {
		return nil, err
	}
	chosen, err := db.CreatorsOf(ctx, ticked)
	if err != nil {
		return nil, err
	}
	found, next, err := db.Creators(ctx, storage.CreatorFilter{Text: affiliate.TidyHandle(p.Text), Community: true},
		storage.Page{Limit: mostFound})
	if err != nil {
		return nil, err
	}
	p.More = next != ""
	found = slices.Concat(chosen, slices.DeleteFunc(found, func(c affiliate.Creator) bool {
		return slices.Contains(ticked, c.ID)
	}))
	for _, c := range found {
		line := foundNewcomer{Creator: c, Handle: c.BestHandle(), Ticked: slices.Contains(ticked, c.ID)}
		members, _, err := db.OfferMembers(ctx, storage.OfferMemberFilter{Offer: o.ID, Creator: c.ID},
			storage.Page{Limit: 1})
		if err != nil {
			return nil, err
		}
		if len(members) > 0 {
			b := memberBadges[members[0].State()]
			line.State = &b
		}
		p.Found = append(p.Found, line)
	}
	return p, nil
}

// previewNewcomers shows what pasted lines or a file mean, before anybody is added.
func (r *request) previewNewcomers() error {
	p, err := r.newOfferMembers()
	if err != nil {
		return err
	}
	content, err := r.newcomersFile(p)
	if err == nil {
		var lines []app.NewcomerLine
		if lines, err = r.d.App.ReadNewcomers(r.Request.Context(), content); err == nil {
			p.Lines = newcomersOf(lines)
			return r.show("offer_members_new.html", p)
		}
	}
	if p.Errors, err = formErrors(err); err != nil {
		return err
	}
	p.Failure = unseenError(p.Errors, "list", "file")
	r.render(http.StatusUnprocessableEntity, "offer_members_new.html", p)
	return nil
}

// newcomersOf parts lines by what they mean.
func newcomersOf(lines []app.NewcomerLine) *newcomers {
	n := &newcomers{}
	for _, line := range lines {
		switch {
		case line.Why != "":
			line.Why = sentenceOf("", line.Why)
			n.Wrong = append(n.Wrong, line)
		case line.New:
			n.New = append(n.New, line)
		default:
			n.Known = append(n.Known, line)
		}
	}
	return n
}

// newcomersFile gives what was uploaded, or pasted, and keeps it for the form that adds them.
func (r *request) newcomersFile(p *newMembersPage) (content []byte, err error) {
	p.List, p.Book = r.PostForm("list"), r.PostForm("book")
	file, err := r.FormFile("file")
	switch {
	case errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) || err == nil && file.Size == 0:
		if p.Book != "" {
			if content, err = base64.StdEncoding.DecodeString(p.Book); err != nil {
				return nil, affiliate.FieldErrorf("file", "choose the file again")
			}
			return content, nil
		}
		if strings.TrimSpace(p.List) == "" {
			return nil, affiliate.FieldErrorf("list", "write a creator in each line, or choose a file")
		}
		return []byte(p.List), nil
	case err != nil:
		return nil, err
	case file.Size > maxBook:
		return nil, affiliate.FieldErrorf("file", "may have %.1f MB at most; divide it into several",
			float64(maxBook)/(1<<20))
	}
	opened, err := file.Open()
	if err != nil {
		return nil, fmt.Errorf("open the uploaded file: %w", err)
	}
	defer opened.Close()
	if content, err = io.ReadAll(opened); err == nil {
		p.List, p.Book = "", base64.StdEncoding.EncodeToString(content)
	}
	return content, err
}

// addOfferMembers adds those who are ticked, or who stand in lines that were looked at before.
func (r *request) addOfferMembers() error {
	o, err := r.offerOfCampaign()
	if err != nil {
		return err
	}
	ctx := r.Request.Context()
	web.AllowTime(r.Writer)
	var results []app.MemberResult
	if r.field("list")+r.field("book") != "" {
		results, err = r.addNewcomers(o)
	} else {
		in := app.MembersChange{Action: app.MembersAdd, Offer: o.ID}
		if in.Creators, err = affiliate.ParseIDs[affiliate.CreatorID]("creators", "cre_",
			r.PostFormArray("creators")); err == nil {
			if len(in.Creators) == 0 {
				return affiliate.Errorf(affiliate.Invalid, "nobody is selected; tick some creators first")
			}
			results, err = r.d.App.ChangeMembers(ctx, in)
		}
	}
	if err != nil {
		return err
	}
	return r.showMembersDone(o, app.MembersAdd, results, offerAddress(o))
}

// addNewcomers adds those of the lines that can be meant or made; the others are left.
func (r *request) addNewcomers(o affiliate.Offer) ([]app.MemberResult, error) {
	var p newMembersPage
	content, err := r.newcomersFile(&p)
	if err != nil {
		return nil, err
	}
	lines, err := r.d.App.ReadNewcomers(r.Request.Context(), content)
	if err != nil {
		return nil, err
	}
	lines = slices.DeleteFunc(lines, func(l app.NewcomerLine) bool { return l.Why != "" })
	if len(lines) == 0 {
		return nil, affiliate.Errorf(affiliate.Invalid, "no line of it names a creator who can be added")
	}
	return r.d.App.AddNewcomers(r.Request.Context(), o.ID, lines)
}
