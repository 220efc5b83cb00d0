package convert

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Headers of exporters: each row is a cat at 10, 12, 30, 20 on a.png, of 100x50.
func TestColumns(t *testing.T) {
	const via = "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes\n"
	for name, text := range map[string]string{
		"TensorFlow":             "filename,width,height,class,xmin,ymin,xmax,ymax\na.png,100,50,cat,10,12,40,32\n",
		"Roboflow, retinanet":    "filename,x1,y1,x2,y2,class\na.png,10,12,40,32,cat\n",
		"Kaggle, ids":            "image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max\na,cat,3,R9,10,12,40,32\n",
		"Kaggle, one cell":       "image_id,width,height,bbox,source,label\na,100,50,\"[10.0, 12.0, 30.0, 20.0]\",x,cat\n",
		"Kaggle, tuples":         "label,img,box\ncat,a.png,\"(10, 12, 30, 20)\"\n",
		"an index and capitals":  ",ImageID,XMin,YMin,XMax,YMax,ClassName\n0,a,10,12,40,32,cat\n",
		"names with blanks":      "Image Path,Bounding Box X1,bounding box y1,bounding-box.x2,BoundingBoxY2,Class Name\na.png,10,12,40,32,cat\n",
		"corners from 0":         "img_path,x0,y0,x1,y1,category\na.png,10,12,40,32,cat\n",
		"CVAT's words":           "image,xtl,ytl,xbr,ybr,label\na.png,10,12,40,32,cat\n",
		"words of sides":         "path,left,top,right,bottom,label\na.png,10,12,40,32,cat\n",
		"sides and size":         "path,left,top,width,height,label\na.png,10,12,30,20,cat\n",
		"MakeSense":              "label_name,bbox_x,bbox_y,bbox_width,bbox_height,image_name,image_width,image_height\ncat,10,12,30,20,a.png,100,50\n",
		"size before the box's":  "image,width,height,x,y,w,h,label\na.png,100,50,10,12,30,20,cat\n",
		"a centre":               "file,cx,cy,w,h,species\na.png,25,22,30,20,cat\n",
		"two names of the class": "class_id,label,filename,xmin,ymin,xmax,ymax\n7,cat,a.png,10,12,40,32\n",
		"two names of the image": "id,image_id,file_name,xmin,ymin,xmax,ymax,label\n1,7,a.png,10,12,40,32,cat\n",
		"an address":             "image_url,xmin,ymin,xmax,ymax,label\nhttps://host/data/a.png,10,12,40,32,cat\n",
		"name is the image":      "name,xmin,ymin,xmax,ymax,label\na.png,10,12,40,32,cat\n",
		"name is the class":      "file,xmin,ymin,xmax,ymax,name\na.png,10,12,40,32,cat\n",
		"AutoML":                 "TRAIN,gs://bucket/data/a.png,cat,0.1,0.24,,,0.4,0.64,,\n",
		"Vertex, four corners":   "training,gs://bucket/a.png,cat,0.1,0.24,0.4,0.24,0.4,0.64,0.1,0.64\n",
		"Vertex, no part":        ",gs://bucket/a.png,cat,0.1,0.24,,,0.4,0.64,,\n",
		"VIA":                    via + `a.png,123,"{}",1,0,"{""name"":""rect"",""x"":10,""y"":12,""width"":30,""height"":20}","{""class"":""cat""}"` + "\n",
		"VIA 1":                  "#" + via + `a.png,123,"{}",1,0,"{""name"":""polygon"",""all_points_x"":[10,40,20],""all_points_y"":[12,20,32]}","{""colour"":""red"",""label"":""cat""}"` + "\n",
		"VIA, ticked":            via + `a.png,123,"{}",1,0,"{""name"":""rect"",""x"":10,""y"":12,""width"":30,""height"":20}","{""class"":{""cat"":true}}"` + "\n",
	} {
		dir := t.TempDir()
		blank(t, dir, "a.png")
		d := open(t, Source{Path: put(t, filepath.Join(dir, "l.csv"), text)})
		if got := flat(d); !slices.Equal(got, []string{fmt.Sprint("a.png", 100, 50, "cat", [4]float64{10, 12, 30, 20}, false)}) || len(d.Dropped) > 0 {
			t.Errorf("%s: %v, left out: %v", name, got, d.Dropped)
		}
	}
}

// A list of one class stands for the column that is missing.
func TestColumnsOfOneClass(t *testing.T) {
	dir := t.TempDir()
	blank(t, dir, "a.png")
	path, one := put(t, filepath.Join(dir, "l.csv"), "image_id,width,height,bbox\na,100,50,\"[10, 12, 30, 20]\"\n"), put(t, filepath.Join(dir, "one.csv"), "wheat,0\n")
	if got := flat(open(t, Source{Path: path, Classes: one})); !slices.Equal(got, []string{fmt.Sprint("a.png", 100, 50, "wheat", [4]float64{10, 12, 30, 20}, false)}) {
		t.Errorf("%v", got)
	}
	checkError(t, "two classes", Source{Path: path, Classes: put(t, filepath.Join(dir, "two.csv"), "a,0\nb,1\n")}, "lacks columns for the class")
}

// Rows of images without objects, with a header.
func TestColumnsWithoutObjects(t *testing.T) {
	for _, text := range []string{
		"image_id,class_name,x_min,y_min,x_max,y_max\na,No finding,,,,\n",
		"image_id,class_name,x_min,y_min,x_max,y_max\na,14,NaN,nan,NaN,NaN\n",
		"image_id,label,bbox\na,,[]\n",
		"TEST,gs://bucket/a.png,,,,,,,,,\n",
		"filename,region_count,region_id,region_shape_attributes,region_attributes\na.png,0,0,{},{}\n",
	} {
		dir := t.TempDir()
		blank(t, dir, "a.png")
		if d := open(t, Source{Path: put(t, filepath.Join(dir, "l.csv"), text)}); len(d.Images) != 1 || len(d.Annotations) != 0 || len(d.Dropped) > 0 {
			t.Errorf("%q: %+v", text, d)
		}
	}
}

func TestColumnErrors(t *testing.T) {
	dir := t.TempDir()
	blank(t, dir, "a.png")
	for text, want := range map[string]string{
		"filename,xmin,ymin,xmax,ymax\na.png,1,2,3,4\n":                                                                  "l.csv:1: [\"filename\" \"xmin\" \"ymin\" \"xmax\" \"ymax\"] is a header that lacks columns for the class (class, label, category; where all objects are of one, give a list of classes with it alone)",
		"filename,xmin,ymin,xmax,label\na.png,1,2,3,cat\n":                                                               "lacks columns for ymax",
		"xmin,ymin,xmax,ymax,label\n1,2,3,4,cat\n":                                                                       "lacks columns for the image (path, filename, image_id)",
		"filename,label\na.png,cat\n":                                                                                    "lacks columns for xmin, ymin, xmax, ymax",
		"img,bbox,label\na.png,\"[1,2,3]\",cat\n":                                                                        `l.csv:2: "[1,2,3]" is no box`,
		"img,bbox,label\na.png,\"[1,2,x,4]\",cat\n":                                                                      `l.csv:2: "x" is no number of pixels`,
		"filename,region_shape_attributes,region_attributes\na.png,{\"\"name\"\",{\n":                                    "l.csv",
		"filename;region_shape_attributes;region_attributes\na.png;\"{\"\"name\"\":\"\"circle\"\",\"\"cx\"\":1}\";cat\n": `a region of the kind "circle" has no box`,
		"filename;region_shape_attributes;region_attributes\na.png;\"{\"\"x\"\":1,\"\"y\"\":1,\"\"width\"\":3,\"\"height\"\":3}\";\"{\"\"colour\"\":3}\"\n": "l.csv:2: the class has no name",
		"path,x1,y1,x2,y2,class\na.png,1,2,3,4,cat\na.png,1,2,3,4\n":                                                                                        "l.csv:3: 5 columns, want the 6 of the header",
		"TRAIN,gs://bucket/a.png,cat,0.1,0.24,,,x,0.64,,\n":                                                                                                 `l.csv:1: "x" is no number`,
	} {
		checkError(t, text, Source{Path: put(t, filepath.Join(dir, "l.csv"), text)}, want)
	}
}

// A column divides the rows into parts, which the folder's discovery finds too.
func TestColumnOfParts(t *testing.T) {
	for _, k := range []struct{ text, train, val string }{
		{"filename,xmin,ymin,xmax,ymax,class,split\na.png,1,2,3,4,cat,train\nb.png,1,2,3,4,dog,val\nc.png,,,,,,test\n", "train", "val"},
		{"TRAINING,gs://x/a.png,cat,.1,.1,,,.2,.2,,\nVALIDATION,gs://x/b.png,dog,.1,.1,,,.2,.2,,\n", "TRAINING", "VALIDATION"},
		{"Set,filename,xmin,ymin,xmax,ymax,class\nTrain,a.png,1,2,3,4,cat\ntest,b.png,1,2,3,4,dog\n", "Train", "test"},
	} {
		dir := t.TempDir()
		for _, n := range []string{"a.png", "b.png", "c.png"} {
			blank(t, dir, n)
		}
		path := put(t, filepath.Join(dir, "all.csv"), k.text)
		train, val, err := Discover(Source{Path: dir})
		if err != nil || !reflect.DeepEqual(train, Source{Path: path, Split: k.train}) || !reflect.DeepEqual(val, Source{Path: path, Split: k.val}) {
			t.Errorf("%q: %+v, %+v, %v", k.text, train, val, err)
			continue
		}
		for split, want := range map[string]string{train.Split: "a.png", val.Split: "b.png", strings.ToLower(k.train): "a.png"} {
			if d := open(t, Source{Path: path, Split: split}); len(d.Images) != 1 || d.Images[0].FileName != want || len(d.Annotations) != 1 {
				t.Errorf("%q, %q: %+v", k.text, split, d.Images)
			}
		}
		checkError(t, k.text, Source{Path: path, Split: "nonsense"}, path, `"nonsense"`, k.train, k.val)
	}
	dir := t.TempDir()
	blank(t, dir, "a.png")
	checkError(t, "no column", Source{Path: put(t, filepath.Join(dir, "l.csv"), "a.png,1,2,3,4,cat\n"), Split: "train"}, "l.csv", `leave the split "train" out`)
}

// Where no image is found, one line says so, of CSVs and of YOLO's lists.
func TestNoPictures(t *testing.T) {
	dir := lay(t, "other/c.png", "l.csv=a.png,1,2,3,4,cat\nb.png,1,2,3,4,cat\na.png,5,6,7,8,cat\n", "train.txt=images/a.png\nimages/b.png\n", "data.yaml=train: train.txt\nnames: [cat]\n")
	for want, s := range map[string]Source{
		"none of the files of its 2 images is in " + filepath.Join(dir, "other") + `, such as "a.png": give images`:    {Path: filepath.Join(dir, "l.csv"), Images: filepath.Join(dir, "other")},
		"none of the files of its 2 images is in " + dir + `, such as "a.png": give images`:                            {Path: filepath.Join(dir, "l.csv")},
		"none of the 2 images that " + filepath.Join(dir, "train.txt") + ` lists is beside it, such as "images/a.png"`: {Path: filepath.Join(dir, "data.yaml"), Split: "train"},
	} {
		if _, _, err := s.Open(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// The images of a CSV are found in folders as exporters name them.
func TestCSVPictures(t *testing.T) {
	for _, k := range []struct{ csv, picture, name string }{
		{"train.csv", "train/a.png", "a.png"},
		{"train.csv", "train/a.png", "a"},
		{"labels.csv", "images/a.png", "a.png"},
		{"labels.csv", "images/a.png", "images/a.png"},
		{"labels.csv", "some pictures/a.png", "a.png"},
		{"annotations/train_labels.csv", "images/train/a.png", "a.png"},
		{"data/train_solution_bounding_boxes.csv", "data/training_images/a.png", "a.png"},
		{"train_labels.csv", "train/sub/a.png", "sub/a"},
	} {
		dir := t.TempDir()
		blank(t, dir, k.picture)
		d, folder, err := Source{Path: put(t, filepath.Join(dir, k.csv), "filename,xmin,ymin,xmax,ymax,class\n"+k.name+",1,2,3,4,cat\n")}.Open()
		if err != nil || len(d.Images) != 1 || len(d.Dropped) > 0 {
			t.Errorf("%s with %s: %v, %+v", k.csv, k.picture, err, d)
			continue
		}
		if _, err := os.Stat(filepath.Join(folder, d.Images[0].FileName)); err != nil {
			t.Errorf("%s with %s: %v", k.csv, k.picture, err)
		}
	}
}
