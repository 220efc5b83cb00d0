// Package docs has the tests of the pages and comments: links, headings that they name, and spelling.
package docs
