/* OHIF's configuration inside Treegarth: one data source, the DICOMweb of the Orthanc that serves this page. */
const reach = REACH_OF_THIS_SERVER; // filled in as this file is served: base, dicomWeb, wado, treegarth, words

// A session that has ended: what is refused leads to the sign-in, and from there back to what is being read.
const leadToSignIn = async () => {
  const me = await (await plainFetch(`${reach.treegarth}/api/v1/access/me`)).json();
  if (me.name || ['none', 'orthanc'].includes(me.sign_in)) return;
  location.assign(`${reach.treegarth}/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
};
const isRefusedHere = (status, address) =>
  (status === 401 || status === 403) && new URL(address, location.href).origin === location.origin;
const plainFetch = window.fetch.bind(window);
window.fetch = async (...given) => {
  const answer = await plainFetch(...given);
  if (isRefusedHere(answer.status, answer.url)) leadToSignIn();
  return answer;
};
const plainSend = XMLHttpRequest.prototype.send;
XMLHttpRequest.prototype.send = function (...given) {
  this.addEventListener('loadend', () => {
    if (isRefusedHere(this.status, this.responseURL || location.href)) leadToSignIn();
  });
  return plainSend.apply(this, given);
};

// Orthanc says where bulk data are by what a proxy told it, or by a fixed host. They come from where all else comes from.
const bulkDataFromHere = (address) => {
  const begin = address.lastIndexOf('/studies/');
  return begin < 0 ? address : location.origin + reach.dicomWeb + address.slice(begin);
};

const studyPage = (studyInstanceUid) => `${reach.treegarth}/studies/${encodeURIComponent(studyInstanceUid)}`;

// OHIF reads its arguments in small and capital letters, and several studies divided by commas.
const openStudy = () => {
  for (const [key, value] of new URLSearchParams(location.search)) {
    if (key.toLowerCase() === 'studyinstanceuids') return value.split(',')[0];
  }
  return '';
};

const link = (React, address, words) =>
  React.createElement('a', { href: address, className: 'text-primary hover:text-primary-light text-base underline' }, words);

/* The place of OHIF's logo, at the left above: the way back to where the reader came from. */
const wayBack = (React) => link(React, openStudy() ? studyPage(openStudy()) : `${reach.treegarth}/studies`, `← ${reach.words.back}`);

/* Storage classes of structured reports (PS3.4 B.5, PS3.6 A) beside the four that OHIF knows. */
const reportClasses = [35, 40, 50, 65, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77].map(
  (last) => `1.2.840.10008.5.1.4.1.1.88.${last}`
);

/* In the place of a structured report that OHIF does not show: where it can be read. */
const readableReport = (React, instance) =>
  React.createElement(
    'div',
    { 'data-readable-report': true },
    React.createElement('p', { className: 'mb-2 text-lg' }, instance.SeriesDescription || reach.words.report),
    link(
      React,
      `${studyPage(instance.StudyInstanceUID)}/series/${instance.SeriesInstanceUID}/instances/${instance.SOPInstanceUID}`,
      reach.words.readReport
    )
  );

/* A person name (PS3.5 6.2.1.1) as the dashboard writes it, in one line: Korean first in whichever group it is, else the
   ideographic group. The same as `readable_person` of web/formats.py; a test compares the two. */
const HANGUL = /[\u1100-\u11ff\u3130-\u318f\uac00-\ud7ff]/;
const WRITTEN_TOGETHER = /[\u1100-\u11ff\u3130-\u318f\uac00-\ud7ff\u2e80-\u9fff\uf900-\ufaff]/;
const nameGroup = (group) => {
  const [family, given, middle, prefix, suffix] = [...group.split('^'), '', '', '', ''].map((part) => part.trim());
  if (WRITTEN_TOGETHER.test(group)) return family + given + middle;
  const named = [family, [given, middle].filter(Boolean).join(' ')].filter(Boolean).join(', ');
  return [prefix, named, suffix].filter(Boolean).join(' ');
};
const personName = (name) => {
  const value = Array.isArray(name) ? name[0] : name;
  if (!value) return undefined;
  const groups = typeof value === 'string' ? value.split('=') : [value.Alphabetic, value.Ideographic, value.Phonetic];
  const [alphabetic, ideographic, phonetic] = [0, 1, 2].map((number) => nameGroup(String(groups[number] ?? '')));
  const first = ideographic || alphabetic || phonetic;
  if (!HANGUL.test(phonetic) || HANGUL.test(first)) return first;
  return ideographic ? `${phonetic} (${ideographic})` : phonetic;
};

window.config = {
  name: 'treegarth',
  routerBasename: reach.base,
  extensions: [],
  modes: [],
  customizationService: [{ 'ohif.tours': { $set: [] } }], // no guided tour over the image of the first visit
  showStudyList: false, // ours finds names in every writing: Orthanc's DICOMweb does not decode what is looked for
  whiteLabeling: { createLogoComponentFn: wayBack },
  treegarth: { personName, readableReport, reportClasses }, // what web/prepare_ohif.py has OHIF call
  maxNumberOfWebWorkers: 3,
  showWarningMessageForCrossOrigin: false,
  showCPUFallbackMessage: true,
  showLoadingIndicator: true,
  strictZSpacingForVolumeViewport: true,
  groupEnabledModesFirst: true,
  showErrorDetails: 'production',
  investigationalUseDialog: { option: 'configure', days: 30 },
  maxNumRequests: { interaction: 20, thumbnail: 8, prefetch: 8 }, // Orthanc answers 50 requests at a time, for everybody
  defaultDataSourceName: 'orthanc',
  dataSources: [
    {
      namespace: '@ohif/extension-default.dataSourcesModule.dicomweb',
      sourceName: 'orthanc',
      configuration: {
        friendlyName: 'Orthanc',
        name: 'orthanc',
        wadoUriRoot: reach.wado ?? undefined,
        qidoRoot: reach.dicomWeb,
        wadoRoot: reach.dicomWeb,
        qidoSupportsIncludeField: true,
        imageRendering: 'wadors',
        thumbnailRendering: 'wadors',
        enableStudyLazyLoad: true,
        supportsFuzzyMatching: false,
        supportsWildcard: true,
        supportsReject: false,
        dicomUploadEnabled: false,
        omitQuotationForMultipartRequest: true,
        // Asked for as application/pdf, newer DICOMweb plugins (seen: 1.20) refuse a document; asked for as anything they give it.
        singlepart: 'bulkdata',
        // OHIF keeps what `transform` gives only where it then begins with `startsWith`.
        bulkDataURI: { enabled: true, transform: bulkDataFromHere, startsWith: `${location.origin}/`, prefixWith: '/' },
      },
    },
  ],
};
