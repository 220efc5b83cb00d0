package picture

import "retinago/internal/vision"

// palette holds the colours of classes as 0xRRGGBB. The first seven are those of Okabe and Ito 2008 without black, which people with any
// kind of colour vision tell apart. Each further one is, of the colours with channels of multiples of 0x11 that are neither gray nor nearly
// black or white, the one that is farthest from all before it: by the least of the distances in Oklab (Ottosson 2020) as seen with normal
// vision, protanopia and deuteranopia (Machado et al. 2009).
var palette = [...]uint32{
	0xE69F00, 0x56B4E9, 0x009E73, 0xF0E442, 0x0072B2, 0xD55E00, 0xCC79A7, 0x77FFFF, 0x882233, 0x0000FF,
	0x44DDAA, 0x5588FF, 0x005577, 0xAA4433, 0x5522BB, 0x66FFAA, 0x44DDFF, 0x007777, 0xDD00CC, 0x0066FF,
	0x77BB77, 0xCCCC66, 0x33CCCC, 0x00EEDD, 0x008866, 0xCC0099, 0xEE7733, 0x5577DD, 0x226688, 0x6699EE,
	0x771199, 0xAA0055, 0x993300, 0x00AA55, 0xBB77CC, 0xBB5533, 0x006666, 0xFFDD88, 0x3300DD, 0xEE88AA,
	0x11CCFF, 0xEEBB00, 0xBB6699, 0x66EEBB, 0x99FFDD, 0x77AA88, 0xCC88CC, 0xEEBB99, 0x22DDDD, 0x77EEFF,
	0xAABB55, 0xDD7755, 0x4466DD, 0x6644BB, 0xCC2255, 0x66AAFF, 0x2244FF, 0xAA44AA, 0x00FF77, 0x555500,
	0x6633DD, 0x33DD88, 0x44BBAA, 0x55DD33, 0xAA1199, 0xBB1155, 0xBB66FF, 0xDD33BB, 0xBB6655, 0x558888,
	0x999922, 0x8866CC, 0xAA7733, 0x993333, 0x77BBDD, 0xCCDD55, 0xEE99BB, 0xAAAA55, 0x882277, 0xAA5511,
}

// Color returns the colour of a class by its index, as R, G, B. The colours repeat after 80 classes.
func Color(class int) [3]uint8 {
	n := len(palette)
	c := palette[(class%n+n)%n]
	return [3]uint8{uint8(c >> 16), uint8(c >> 8), uint8(c)}
}

// ink is the colour of letters on a plate: black or white, whichever has more contrast. That is at least 4.58 on any colour.
func ink(plate [3]uint8) [3]uint8 {
	if vision.Contrast(plate, white) > vision.Contrast(plate, [3]uint8{}) {
		return white
	}
	return [3]uint8{}
}
