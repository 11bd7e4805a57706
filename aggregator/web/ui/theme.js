// Before the first paint: the theme that was chosen here. The one thing kept beyond the tab, and it is no figure.
try {
  const chosen = localStorage.getItem('winnow-theme');
  if (chosen) document.documentElement.dataset.theme = chosen;
} catch { /* storage is off: the system's theme it is */ }
