package picture

// Turn is the EXIF orientation in which the file is stored: 1 is upright, 5 to 8 have width and height swapped. (EXIF 2.3, section 4.6.4.)
func (h Header) Turn() int { return h.turn }
