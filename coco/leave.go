package coco

import (
	"fmt"
	"strings"
)

// leave lists the faults of the object that was just read with what is left out. Its image's annotations follow it (leaveOrphans).
func (l *loader) leave() {
	if l.s.err != nil || len(l.pending) == 0 {
		return
	}
	seen := strings.Join(l.pending, "; ")
	if l.unsaid > 0 {
		seen += fmt.Sprintf("; and %d more", l.unsaid)
	}
	l.pending, l.unsaid = l.pending[:0], 0
	if l.section == "images" && l.hasID {
		if l.lost == nil {
			l.lost = map[int64]bool{}
		}
		l.lost[l.id] = true
	}
	l.d.drop(Problem{Severity: Error, Kind: Unreadable, Item: l.where(), Offset: l.start, Seen: seen, Advice: "it is left out"})
}

// drop adds an item to those that were left out; the first are listed, the others counted.
func (d *Dataset) drop(p Problem) {
	if len(d.Dropped) == keptOfKind {
		d.Dropped[keptOfKind-1].More++
		return
	}
	d.Dropped = append(d.Dropped, p)
}

// leaveOrphans leaves out the annotations of images that were left out.
func (l *loader) leaveOrphans() {
	if len(l.lost) == 0 {
		return
	}
	for i := range l.d.Images {
		delete(l.lost, l.d.Images[i].ID)
	}
	var kept pile[Annotation]
	for i := range l.d.Annotations {
		if a := &l.d.Annotations[i]; l.lost[a.ImageID] {
			l.d.drop(Problem{Severity: Error, Kind: Unreadable, Item: l.d.annotationName(i), Offset: a.offset,
				Seen: fmt.Sprintf("its image %d cannot be read", a.ImageID), Advice: "it is left out"})
		} else {
			kept.add(*a)
		}
	}
	l.d.Annotations = kept.list()
}
