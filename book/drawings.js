// Draws Mermaid's blocks of the book (Sphinx) and of the slides (nbconvert). Mermaid is loaded only where there is one:
// as a classic script that lies beside this one, because a page opened from the disk may load no module.
(() => {
  const blocks = document.querySelectorAll(".highlight-mermaid, .jp-Mermaid");
  if (!blocks.length) return;
  const script = document.createElement("script");
  script.src = new URL("dist/mermaid.min.js", document.currentScript.src);
  script.onload = async () => {
    // Labels as SVG: the page's rules for paragraphs do not reach them.
    mermaid.initialize({ startOnLoad: false, theme: "neutral", htmlLabels: false, flowchart: { htmlLabels: false } });
    for (const [number, block] of blocks.entries()) {
      block.querySelectorAll("br").forEach((end) => end.replaceWith("<br>")); // nbconvert escapes nothing
      const { svg } = await mermaid.render(`drawing-${number}`, block.textContent.trim());
      block.className = "drawing";
      block.innerHTML = svg;
    }
  };
  document.head.append(script);
})();
