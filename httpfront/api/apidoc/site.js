(function () {
  "use strict";
  var said = document.getElementById("said");

  // Code can be copied. Where the page has no clipboard, because it is not
  // served over HTTPS, it is selected and the browser copies it.
  function copy(code) {
    if (navigator.clipboard) { return navigator.clipboard.writeText(code.textContent); }
    var selection = getSelection();
    selection.selectAllChildren(code);
    var done = document.execCommand("copy");
    selection.removeAllRanges();
    return done ? Promise.resolve() : Promise.reject(new Error("not copied"));
  }
  document.querySelectorAll("figure.code").forEach(function (figure) {
    var button = document.createElement("button"), caption = figure.querySelector("figcaption");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    if (caption) { button.setAttribute("aria-label", "Copy: " + caption.textContent); }
    button.addEventListener("click", function () {
      function say(text) {
        button.textContent = said.textContent = text;
        setTimeout(function () { button.textContent = "Copy"; said.textContent = ""; }, 2000);
      }
      copy(figure.querySelector("code")).then(function () { say("Copied"); }, function () { say("Not copied"); });
    });
    figure.classList.add("copied");
    figure.append(button);
  });

  // The index is loaded when somebody is about to search.
  var form = document.querySelector("form[role=search]"), field = form.querySelector("input");
  var panel = document.getElementById("found"), count = panel.querySelector("p"), list = panel.querySelector("ul");
  var index;
  function load() {
    if (!index) {
      index = Promise.all(form.dataset.index.split(" ").map(function (address) {
        return fetch(address).then(function (answer) {
          if (!answer.ok) { throw new Error(answer.status); }
          return answer.json();
        });
      })).then(function (parts) { return [].concat.apply([], parts); });
      index.catch(function () { index = null; });
    }
    return index;
  }
  // score is 0 unless every word is there. Titles count more than texts, and what
  // a text begins with, the path and the id of an operation, more than the rest.
  function score(entry, words) {
    var title = entry.t.toLowerCase(), text = (entry.p + " " + entry.x).toLowerCase(), sum = 0;
    for (var i = 0; i < words.length; i++) {
      var inTitle = title.indexOf(words[i]), inText = text.indexOf(words[i]);
      if (inTitle < 0 && inText < 0) { return 0; }
      sum += (inTitle === 0 ? 12 : inTitle > 0 ? 8 : 0) + (inText < 0 ? 0 : inText < 100 ? 5 : 1);
    }
    return sum;
  }
  // excerpt is some whole words around one.
  function excerpt(text, word) {
    var at = Math.max(0, text.toLowerCase().indexOf(word) - 40), end = at + 140;
    if (at > 0) { at = text.indexOf(" ", at) + 1; }
    if (text.length > end) { end = Math.max(text.lastIndexOf(" ", end), at); }
    return (at > 0 ? "... " : "") + text.slice(at, end) + (text.length > end ? " ..." : "");
  }
  function show(entry, words) {
    var item = document.createElement("li"), link = document.createElement("a");
    var title = document.createElement("strong"), text = document.createElement("small");
    link.href = entry.u;
    title.textContent = entry.t;
    text.textContent = entry.p + ": " + excerpt(entry.x, words[0]);
    link.append(title, text);
    item.append(link);
    list.append(item);
  }
  function search() {
    var asked = field.value, words = asked.toLowerCase().split(/\s+/).filter(Boolean);
    panel.hidden = words.length === 0;
    if (words.length === 0) { return; }
    load().then(function (entries) {
      if (field.value !== asked) { return; }
      var hits = entries.map(function (e) { return { e: e, s: score(e, words) }; }).filter(function (h) { return h.s > 0; });
      hits.sort(function (a, b) { return b.s - a.s; });
      list.replaceChildren();
      hits.slice(0, 20).forEach(function (h) { show(h.e, words); });
      count.textContent = hits.length === 0 ? "Nothing found" : hits.length === 1 ? "1 result" : hits.length + " results";
    }, function () { list.replaceChildren(); count.textContent = "The search is not available right now"; });
  }
  function move(step) {
    var links = Array.prototype.slice.call(list.querySelectorAll("a")), at = links.indexOf(document.activeElement) + step;
    if (at < 0) { field.focus(); } else if (links[at]) { links[at].focus(); }
  }
  form.hidden = false;
  field.addEventListener("focus", load);
  field.addEventListener("input", search);
  form.addEventListener("submit", function (event) {
    event.preventDefault();
    var first = list.querySelector("a");
    if (first) { first.click(); }
  });
  form.addEventListener("click", function (event) { if (event.target.closest("#found a")) { panel.hidden = true; } });
  form.addEventListener("keydown", function (event) {
    if (event.key === "Escape") { panel.hidden = true; field.focus(); }
    if (event.key === "ArrowDown" || event.key === "ArrowUp") { event.preventDefault(); move(event.key === "ArrowDown" ? 1 : -1); }
  });
  document.addEventListener("keydown", function (event) {
    var typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) { event.preventDefault(); field.focus(); }
  });
  document.addEventListener("click", function (event) { if (!form.contains(event.target)) { panel.hidden = true; } });
})();
