/* OHIF's configuration inside Treegarth: one data source, the DICOMweb of the Orthanc that serves this page. */
const reach = REACH_OF_THIS_SERVER; // filled in as this file is served: base, dicomWeb, wado

// Orthanc says where bulk data are by what a proxy told it, or by a fixed host. They come from where all else comes from.
const bulkDataFromHere = (address) => {
  const begin = address.lastIndexOf('/studies/');
  return begin < 0 ? address : location.origin + reach.dicomWeb + address.slice(begin);
};

window.config = {
  name: 'treegarth',
  routerBasename: reach.base,
  extensions: [],
  modes: [],
  customizationService: [{ 'ohif.tours': { $set: [] } }], // no guided tour over the image of the first visit
  showStudyList: true,
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
