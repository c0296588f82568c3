// Reduces a picture in place to the colours of one palette, chosen for the picture.
const fs = require("node:fs");
const { createRequire } = require("node:module");

// The packages are in the working directory, not beside this file.
const sharp = createRequire(`${process.cwd()}/`)("sharp");
const [file] = process.argv.slice(2);
sharp(fs.readFileSync(file)).png({ palette: true, quality: 90, effort: 10, dither: 0 }).toBuffer()
  .then((small) => fs.writeFileSync(file, small));
