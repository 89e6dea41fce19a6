/* SPDX-License-Identifier: BSD-2-Clause */
/* Elements. Text of the data gets into the page as text alone: there is no other way in here. */

const svgNamespace = document.querySelector("#frames").content.firstElementChild?.namespaceURI;

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value === "function")
      element.addEventListener(name, value);
    else if (value !== undefined && value !== null && value !== false)
      element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

function el(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function svgEl(tag, attributes, ...children) {
  return fill(document.createElementNS(svgNamespace, tag), attributes, children);
}

function byId(id) {
  return document.getElementById(id);
}

function hex(offset) {
  return "+0x" + offset.toString(16);
}

function cfa(offset) {
  return "CFA" + (offset < 0 ? "" : "+") + offset;
}
