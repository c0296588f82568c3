// Makes elements with plain text; markup is never parsed.
export function make(tag, text = "", className = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  if (className) element.className = className;
  return element;
}

export function fill(parent, children) {
  parent.replaceChildren(...children);
}
