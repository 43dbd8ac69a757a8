/** The page at /: it tries the server with a picture, and leads to the description of its routes. It needs nothing from
 *  elsewhere, and its script only sends what a person chose. */
const STYLE = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}body{max-width:46rem;margin:2rem auto;padding:0 1rem}
canvas{max-width:100%;height:auto}pre{overflow:auto;padding:1rem;border:1px solid;max-height:20rem}td,th{text-align:left;padding:.2rem 1rem .2rem 0}`;

const SCRIPT = `const get=(id)=>document.getElementById(id);
get('file').addEventListener('change',async()=>{const [file]=get('file').files;if(!file)return;
const token=get('token').value;get('answer').textContent='…';
const reply=await fetch('predict',{method:'POST',body:file,headers:{'content-type':'application/octet-stream',...(token&&{authorization:'Bearer '+token})}});
const found=await reply.json();get('answer').textContent=JSON.stringify(found,null,2);
const image=await createImageBitmap(file),canvas=get('canvas');canvas.width=image.width;canvas.height=image.height;
const pen=canvas.getContext('2d');pen.drawImage(image,0,0);pen.lineWidth=Math.max(2,image.width/300);pen.strokeStyle='#e4007c';pen.fillStyle='#e4007c';
pen.font=Math.max(12,image.width/40)+'px sans-serif';
for(const one of found.predictions||[]){if(one.box){const [x,y,w,h]=one.box;pen.strokeRect(x,y,w,h);pen.fillText(one.category+' '+one.score.toFixed(2),x,y>20?y-4:y+h)}
if(one.polygon){pen.beginPath();for(const [x,y] of one.polygon)pen.lineTo(x,y);pen.closePath();pen.stroke()}}});`;

const BODY = `<h1>finetune serve</h1>
<p><label>Picture <input type="file" id="file" accept="image/*"></label>
<label>Token, if the server has one <input id="token" type="password" autocomplete="off"></label></p>
<canvas id="canvas" width="1" height="1" role="img" aria-label="The picture with what was found"></canvas>
<pre id="answer" tabindex="0" aria-label="Answer of the server">Choose a picture.</pre>
<table><tr><th scope="col">route</th><th scope="col">what it does</th></tr>
<tr><td>POST predict</td><td>finds objects, words or the class in an image</td></tr>
<tr><td>POST v1/vision/detection</td><td>the same in the form of DeepStack</td></tr>
<tr><td><a href="health">health</a></td><td>tells which model answers</td></tr>
<tr><td><a href="metrics">metrics</a></td><td>has numbers for Prometheus</td></tr>
<tr><td><a href="openapi.json">openapi.json</a></td><td>describes all routes (OpenAPI 3.1)</td></tr></table>`;

export const PAGE = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>finetune serve</title><style>${STYLE}</style></head><body><main>${BODY}</main><script>${SCRIPT}</script></body></html>`;

/** What the page may do: run its own script and style, and talk to this server. */
export const PAGE_POLICY =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; img-src 'self' blob:";
